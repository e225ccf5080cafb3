import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Batch, Project } from "@/api/types";
import { Menu, MenuItem } from "@/components/Menu";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useBulk, type BulkAction } from "./bulk";
import { sizeOf, wanted, type Selection } from "./selection";
import type { TaskFilter } from "./tasks";
import styles from "./tasks.module.css";

interface Props {
  project: Project;
  others: readonly Project[];
  batches: readonly Batch[];
  filter: TaskFilter;
  selection: Selection;
  onSelect: (selection: Selection | undefined) => void;
}

/** What can be done with the ticked tasks. */
export function BulkBar({ project, others, batches, filter, selection, onSelect }: Props) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const bulk = useBulk(project.id);
  const open = batches.filter((batch) => batch.state === "open");
  const [sure, setSure] = useState(false);
  const start = (action: BulkAction) => {
    setSure(false);
    bulk.mutate(
      { ...action, selection: wanted(selection, filter) },
      {
        onSuccess: () => {
          notify({ text: t("jobs.started") });
          onSelect(undefined);
        },
        onError: (error) => notify({ tone: "error", text: problemText(error).detail, detail: problemText(error).hint }),
      },
    );
  };
  return (
    <div className={styles.bulk} role="toolbar" aria-label={t("tasks.title")} data-testid="bulk-bar">
      <b>{selection.all ? t("bulk.everything") : t("bulk.selected", { count: sizeOf(selection) })}</b>
      {!selection.all && (
        <button type="button" className={styles.link} onClick={() => onSelect({ all: true })} data-testid="bulk-all">
          {t("bulk.allMatching")}
        </button>
      )}
      <button type="button" className={styles.link} onClick={() => onSelect(undefined)}>
        {t("bulk.none")}
      </button>
      <span className="spacer" />
      {sure ? (
        <>
          <span className="dispute">{t("bulk.rejectSure")}</span>
          <Button size="compact-sm" color="red" variant="light" onClick={() => start({ action: "reject" })} data-testid="bulk-reject-sure">
            {t("bulk.reject")}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setSure(false)}>
            {t("common.cancel")}
          </Button>
        </>
      ) : (
        <>
          <Button size="compact-sm" variant="default" onClick={() => start({ action: "priority", value: "urgent" })} data-testid="bulk-urgent">
            {t("bulk.urgent")}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => start({ action: "priority", value: "normal" })}>
            {t("bulk.normal")}
          </Button>
          {batches.length > 0 && (
            <Menu
              align="end"
              trigger={(props) => (
                <Button {...props} size="compact-sm" variant="default" data-testid="bulk-batch">
                  {t("bulk.batch")} ▾
                </Button>
              )}
            >
              {(close) =>
                [...open.map(({ id, name }) => ({ id, name })), { id: null, name: t("bulk.noBatch") }].map(({ id, name }) => (
                  <MenuItem
                    key={id}
                    testId={`bulk-batch-${id ?? "none"}`}
                    onChoose={() => {
                      close();
                      start({ action: "batch", value: id });
                    }}
                  >
                    {name}
                  </MenuItem>
                ))
              }
            </Menu>
          )}
          {others.length > 0 && (
            <Menu
              align="end"
              trigger={(props) => (
                <Button {...props} size="compact-sm" variant="default">
                  {t("bulk.move")} ▾
                </Button>
              )}
            >
              {(close) =>
                others.map((other) => (
                  <MenuItem
                    key={other.id}
                    onChoose={() => {
                      close();
                      start({ action: "move", value: other.id });
                    }}
                  >
                    {other.name}
                  </MenuItem>
                ))
              }
            </Menu>
          )}
          <Button size="compact-sm" variant="default" onClick={() => start({ action: "export" })} data-testid="bulk-export">
            {t("bulk.export")}
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setSure(true)} data-testid="bulk-reject">
            {t("bulk.reject")}
          </Button>
        </>
      )}
    </div>
  );
}
