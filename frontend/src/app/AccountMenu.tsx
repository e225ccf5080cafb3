import { Menu } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { User } from "@/api/types";
import { useSavePreferences } from "@/features/session/preferences";
import { useSignOut } from "@/features/session/signOut";
import { LANGUAGES, currentLanguage, toServer } from "@/lib/i18n";
import styles from "./Shell.module.css";

const LANGUAGE_NAMES = { zh: "中文", en: "English", ja: "日本語" };
const THEMES = ["auto", "light", "dark"] as const;

export function AccountMenu({ user }: { user: User }) {
  const { t } = useTranslation();
  const preferences = useSavePreferences();
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" closeOnItemClick={false}>
      <Menu.Target>
        <button type="button" className={styles.plain} data-testid="account-menu">
          <span className={styles.ellipsis}>{user.display_name || user.username}</span>
          <span className={styles.caret}>▼</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("account.language")}</Menu.Label>
        <div className={styles.radio}>
          {LANGUAGES.map((language) => (
            <button key={language} type="button" lang={language} aria-pressed={currentLanguage() === language} data-testid={`language-${language}`} onClick={() => preferences.mutate({ language: toServer(language) })}>
              {LANGUAGE_NAMES[language]}
            </button>
          ))}
        </div>
        <Menu.Label>{t("account.theme")}</Menu.Label>
        <div className={styles.radio}>
          {THEMES.map((theme) => (
            <button key={theme} type="button" aria-pressed={user.theme === theme} data-testid={`theme-${theme}`} onClick={() => preferences.mutate({ theme })}>
              {t(`account.themes.${theme}`)}
            </button>
          ))}
        </div>
        <Menu.Divider />
        <Menu.Item onClick={() => signOut.mutate()} data-testid="sign-out">
          {t("account.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
