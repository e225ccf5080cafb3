import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState, ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { dateTime } from "@/lib/format";
import { KeepAnswers } from "./KeepAnswers";
import { useCreateToken, useRevokeToken, useTokens } from "./tokens";
import styles from "./admin.module.css";

export function TokensTab({ site }: { site: number }) {
  const { t, i18n } = useTranslation();
  const query = useTokens(site);
  const create = useCreateToken(site);
  const revoke = useRevokeToken(site);
  const problemText = useProblemText();
  const [name, setName] = useState("");
  const [asked, setAsked] = useState<number | null>(null);
  const failed = create.error ?? revoke.error;
  return (
    <>
      <KeepAnswers site={site} />
      <form
        className={styles.bar}
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(name.trim(), { onSuccess: () => setName("") });
        }}
      >
        <TextInput size="xs" w={260} label={t("admin.tokenName")} value={name} placeholder="WMS" onChange={(event) => setName(event.currentTarget.value)} data-testid="token-name" />
        <Button size="xs" type="submit" disabled={!name.trim()} loading={create.isPending} data-testid="token-create">
          {t("admin.createToken")}
        </Button>
      </form>
      {failed && <p className="error">{problemText(failed).detail}</p>}
      {create.data?.token && (
        <div className={styles.secret} role="status">
          <span>{t("admin.tokenOnce")}</span>
          <code data-testid="token-secret">{create.data.token}</code>
          <Button size="compact-xs" variant="default" onClick={() => void navigator.clipboard.writeText(create.data.token ?? "")}>
            {t("common.copy")}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => create.reset()}>
            {t("common.dismiss")}
          </Button>
        </div>
      )}
      {query.isPending && <RowsSkeleton rows={3} />}
      {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <EmptyState title={t("admin.noTokens")}>{t("admin.noTokensHint")}</EmptyState>}
      {query.data && query.data.length > 0 && (
        <table className="list">
          <thead>
            <tr>
              <th>{t("admin.tokenName")}</th>
              <th>{t("admin.actor")}</th>
              <th>{t("admin.created")}</th>
              <th>{t("admin.lastUsed")}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {query.data.map((token) => (
              <tr key={token.id} data-testid={`token-${token.id}`}>
                <td>
                  {token.name} <span className="mono dim">{token.prefix}…</span>
                </td>
                <td className="dim">{token.user}</td>
                <td className="dim">{dateTime(token.created_at, i18n.language)}</td>
                <td className="dim">{dateTime(token.last_used_at, i18n.language)}</td>
                <td className="num">
                  {asked === token.id ? (
                    <Button size="compact-xs" color="red" loading={revoke.isPending} onClick={() => revoke.mutate(token.id)} data-testid={`token-${token.id}-confirm`}>
                      {t("admin.revokeSure")}
                    </Button>
                  ) : (
                    <Button size="compact-xs" variant="default" onClick={() => setAsked(token.id)} data-testid={`token-${token.id}-revoke`}>
                      {t("admin.revoke")}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
