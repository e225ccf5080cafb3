import { Button, PasswordInput, TextInput, useMantineColorScheme } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import { fromServer, switchLanguage, LANGUAGES } from "@/lib/i18n";
import { useSignIn } from "./signIn";
import styles from "./SignInForm.module.css";

const NAMES = { zh: "中文", en: "English", ja: "日本語" };

export function SignInForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const signIn = useSignIn();
  const { setColorScheme } = useMantineColorScheme();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const problem = signIn.isError ? asProblem(signIn.error) : null;
  const words = problem && (problem.code === "network" ? t("errors.network") : problem.status === 429 ? problem.detail || t("signIn.throttled") : problem.detail || t("signIn.failed"));
  return (
    <main className={styles.page}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate(
            { username: username.trim(), password },
            {
              onSuccess: ({ user }) => {
                if (user) setColorScheme(user.theme);
                void (user ? switchLanguage(fromServer(user.language)) : Promise.resolve()).then(onDone);
              },
            },
          );
        }}
      >
        <h1>WareVision</h1>
        <p className="dim">{t("signIn.subtitle")}</p>
        <TextInput ref={first} label={t("signIn.username")} autoComplete="username" value={username} onChange={(event) => setUsername(event.currentTarget.value)} data-testid="login-username" required withAsterisk={false} />
        <PasswordInput visibilityToggleButtonProps={{ "aria-label": t("signIn.showPassword") }} label={t("signIn.password")} autoComplete="current-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} data-testid="login-password" required withAsterisk={false} />
        {words && (
          <p className="error" role="alert" data-testid="login-error">
            {words}
          </p>
        )}
        <Button type="submit" fullWidth loading={signIn.isPending} data-testid="login-submit">
          {t("signIn.submit")}
        </Button>
        <div className={styles.languages}>
          {LANGUAGES.map((language) => (
            <button key={language} type="button" lang={language} onClick={() => void switchLanguage(language)}>
              {NAMES[language]}
            </button>
          ))}
        </div>
      </form>
    </main>
  );
}
