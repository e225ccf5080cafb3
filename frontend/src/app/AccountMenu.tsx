import { useTranslation } from "react-i18next";
import type { User } from "@/api/types";
import { Menu, MenuItem, MenuLabel } from "@/components/Menu";
import { useSavePreferences } from "@/features/session/preferences";
import { useSignOut } from "@/features/session/signOut";
import { LANGUAGE_NAMES, LANGUAGES, currentLanguage, toServer } from "@/lib/i18n";
import styles from "./Shell.module.css";

const THEMES = ["auto", "light", "dark"] as const;

export function AccountMenu({ user }: { user: User }) {
  const { t } = useTranslation();
  const preferences = useSavePreferences();
  const signOut = useSignOut();
  return (
    <Menu
      align="end"
      trigger={(props) => (
        <button {...props} type="button" className={styles.plain} data-testid="account-menu">
          <span className={styles.ellipsis}>{user.display_name || user.username}</span>
          <span className={styles.caret}>▼</span>
        </button>
      )}
    >
      {() => (
        <>
          <MenuLabel>{t("account.language")}</MenuLabel>
          <div className={styles.radio}>
            {LANGUAGES.map((language) => (
              <button key={language} type="button" role="menuitemradio" lang={language} aria-checked={currentLanguage() === language} data-testid={`language-${language}`} onClick={() => preferences.mutate({ language: toServer(language) })}>
                {LANGUAGE_NAMES[language]}
              </button>
            ))}
          </div>
          <MenuLabel>{t("account.theme")}</MenuLabel>
          <div className={styles.radio}>
            {THEMES.map((theme) => (
              <button key={theme} type="button" role="menuitemradio" aria-checked={user.theme === theme} data-testid={`theme-${theme}`} onClick={() => preferences.mutate({ theme })}>
                {t(`account.themes.${theme}`)}
              </button>
            ))}
          </div>
          <MenuItem onChoose={() => signOut.mutate()} testId="sign-out">
            {t("account.signOut")}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
