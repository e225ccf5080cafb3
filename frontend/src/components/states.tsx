import { Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import styles from "./states.module.css";

export function useProblemText() {
  const { t } = useTranslation();
  return (error: unknown): { detail: string; hint: string | undefined } => {
    const problem = asProblem(error);
    if (problem.code === "network") return { detail: t("errors.network"), hint: t("errors.networkHint") };
    // a crash is told in this page's language; an overloaded server (503) says itself what is the matter
    if (problem.status === 500) return { detail: t("errors.server"), hint: t("errors.serverHint") };
    if (problem.status > 500) return { detail: problem.detail || t("errors.server"), hint: problem.hint ?? t("errors.serverHint") };
    return { detail: problem.detail || t("errors.unknown", { status: problem.status }), hint: problem.hint };
  };
}

/** What went wrong, how to mend it, and a way to try again. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const { detail, hint } = useProblemText()(error);
  return (
    <div className={styles.state} role="alert" data-testid="error-state">
      <p className="error">{detail}</p>
      {hint && <p className="dim">{hint}</p>}
      {retry && (
        <Button variant="default" size="xs" onClick={retry}>
          {t("common.retry")}
        </Button>
      )}
    </div>
  );
}

export function EmptyState({ title, children, testId = "empty-state" }: { title: string; children?: ReactNode; testId?: string }) {
  return (
    <div className={styles.state} data-testid={testId}>
      <p>{title}</p>
      {children && <div className="dim">{children}</div>}
    </div>
  );
}

export function RowsSkeleton({ rows = 8, height = 44 }: { rows?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <div className={styles.rows} role="status" aria-label={t("common.loading")}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={height - 8} radius={2} />
      ))}
    </div>
  );
}

interface Paged {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

export function More({ query }: { query: Paged }) {
  const { t } = useTranslation();
  if (!query.hasNextPage) return null;
  return (
    <div className={styles.more}>
      <Button variant="default" size="xs" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} data-testid="more">
        {t("common.more")}
      </Button>
    </div>
  );
}
