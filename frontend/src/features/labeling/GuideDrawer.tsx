import { Drawer } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { api, call } from "@/api/client";
import type { Project } from "@/api/types";
import { Markdown } from "@/components/Markdown";
import { EmptyState } from "@/components/states";
import { projectQuery } from "@/features/projects/project";

/** The project's instructions beside the photo; opening them takes the "changed" mark away. */
export function GuideDrawer({ project, onClose }: { project: Project; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { id } = project;
  const unread = project.my.guide_unread;
  useEffect(() => {
    if (!unread) return;
    // failing is harmless: the mark stays
    void call(api.POST("/api/v1/projects/{project_id}/guide/read", { params: { path: { project_id: id } } }))
      .then(() => client.invalidateQueries({ queryKey: projectQuery(id).queryKey }))
      .catch(() => undefined);
  }, [client, id, unread]);
  return (
    <Drawer opened onClose={onClose} position="left" size="lg" title={t("guide.title")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <div data-testid="guide">{project.guide.trim() ? <Markdown text={project.guide} /> : <EmptyState title={t("guide.none")} />}</div>
    </Drawer>
  );
}
