import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import card from "@/components/card.module.css";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useSiteNext } from "./siteNext";

/** A task of whichever project's turn it is; that project's page goes on with it. */
export function SiteNextCard({ site }: { site: Project["site"] }) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const navigate = useNavigate();
  const next = useSiteNext(site.id);
  const start = () =>
    next.mutate(undefined, {
      onSuccess: (assignment) => {
        if (assignment) void navigate({ to: "/p/$projectId/label", params: { projectId: assignment.task.project } });
        else notify({ text: t("home.anyProjectEmpty"), detail: t("home.queueEmptyHint") });
      },
      onError: (error) => notify({ tone: "error", text: problemText(error).detail, detail: problemText(error).hint }),
    });
  return (
    <div className={card.card}>
      <Button size="md" variant="default" loading={next.isPending} onClick={start} data-testid={`site-next-${site.id}`}>
        {t("home.anyProject")}
      </Button>
      <span className="dim">{t("home.anyProjectHint", { site: site.name })}</span>
    </div>
  );
}
