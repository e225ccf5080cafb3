import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./en.json";
import ja from "./ja.json";
import zh from "./zh.json";
import type { Language } from "./index";

/** Tests without a page render in this language from here on. */
export async function speak(language: Language): Promise<void> {
  if (i18next.isInitialized) {
    await i18next.changeLanguage(language);
    return;
  }
  const resources = { zh: { translation: zh }, en: { translation: en }, ja: { translation: ja } };
  await i18next.use(initReactI18next).init({ lng: language, fallbackLng: false, resources, interpolation: { escapeValue: false }, returnNull: false });
}
