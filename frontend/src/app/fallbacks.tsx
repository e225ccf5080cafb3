import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { EmptyState, ErrorState, RowsSkeleton } from "@/components/states";

export function RoutePending() {
  return <RowsSkeleton rows={6} />;
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <div className="page">
      <ErrorState
        error={error}
        retry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </div>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  return (
    <div className="page">
      <EmptyState title={t("errors.notFound")}>
        <Link to="/">{t("nav.home")}</Link>
      </EmptyState>
    </div>
  );
}
