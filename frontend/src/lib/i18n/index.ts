import i18next from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = ["zh", "en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];
/** Each in itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { zh: "中文", en: "English", ja: "日本語" };

/** The server says zh-hans, the schema's labels say zh. */
export type ServerLanguage = "zh-hans" | "en" | "ja";
export const fromServer = (language: string): Language => (language.startsWith("en") ? "en" : language.startsWith("ja") ? "ja" : "zh");
export const toServer = (language: Language): ServerLanguage => (language === "zh" ? "zh-hans" : language);

type Texts = Record<string, unknown>;
const load: Record<Language, () => Promise<{ default: Texts }>> = {
  zh: () => import("./zh.json"),
  en: () => import("./en.json"),
  ja: () => import("./ja.json"),
};

export async function startI18n(language: Language): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: (await load[language]()).default } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
}

export async function switchLanguage(language: Language): Promise<void> {
  if (i18next.language === language) return;
  if (!i18next.hasResourceBundle(language, "translation")) {
    i18next.addResourceBundle(language, "translation", (await load[language]()).default);
  }
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  await i18next.changeLanguage(language);
}

export const currentLanguage = (): Language => fromServer(i18next.resolvedLanguage ?? "zh");
