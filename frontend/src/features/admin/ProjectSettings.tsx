import { Button, NumberInput, Switch, TextInput, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useSaveProject, type ProjectSettings as Settings } from "@/features/projects/saveProject";
import { currentLanguage } from "@/lib/i18n";
import styles from "./admin.module.css";

export function ProjectSettings({ project }: { project: Project }) {
  const { t } = useTranslation();
  const save = useSaveProject(project.id);
  const problemText = useProblemText();
  const [edit, setEdit] = useState<Required<Omit<Settings, "version">>>({
    name: project.name,
    overlap: project.overlap,
    threshold: project.threshold,
    boxes_required: project.boxes_required,
    withhold_rate: project.withhold_rate,
    guide: project.guide,
  });
  const number = (value: string | number, fallback: number) => (value === "" ? fallback : Number(value));
  return (
    <section className="panel" data-testid={`settings-${project.id}`}>
      <h2 className="panelHead">
        {project.name}
        <span className="spacer" />
        <a href={`/api/v1/projects/${project.id}/dataset.zip`} download data-testid="dataset-export">
          {t("admin.export")}
        </a>
      </h2>
      <form
        className={styles.settings}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ ...edit, version: project.version }, { onSuccess: () => notify({ tone: "agree", text: t("admin.saved") }) });
        }}
      >
        <TextInput size="xs" label={t("admin.projectName")} value={edit.name} onChange={(event) => setEdit({ ...edit, name: event.currentTarget.value })} data-testid="setting-name" />
        <NumberInput size="xs" label={t("admin.overlap")} description={t("admin.overlapHint")} min={1} max={5} allowDecimal={false} value={edit.overlap} onChange={(value) => setEdit({ ...edit, overlap: number(value, 2) })} data-testid="setting-overlap" />
        <NumberInput size="xs" label={t("admin.threshold")} description={t("admin.thresholdHint")} min={0} max={1} step={0.01} decimalScale={3} value={edit.threshold} onChange={(value) => setEdit({ ...edit, threshold: number(value, 0.85) })} data-testid="setting-threshold" />
        <NumberInput size="xs" label={t("admin.withhold")} description={t("admin.withholdHint")} min={0} max={1} step={0.01} decimalScale={3} value={edit.withhold_rate} onChange={(value) => setEdit({ ...edit, withhold_rate: number(value, 0) })} data-testid="setting-withhold" />
        <Switch label={t("admin.boxes")} checked={edit.boxes_required} onChange={(event) => setEdit({ ...edit, boxes_required: event.currentTarget.checked })} data-testid="setting-boxes" />
        <Textarea className={styles.wide} size="xs" label={t("admin.guide")} autosize minRows={2} maxRows={8} value={edit.guide} onChange={(event) => setEdit({ ...edit, guide: event.currentTarget.value })} />
        <div className={styles.wide}>
          <table className="list">
            <thead>
              <tr>
                <th>{t("quality.field")}</th>
                <th>{t("admin.kind")}</th>
                <th className="num">{t("admin.weight")}</th>
                <th>{t("admin.required")}</th>
              </tr>
            </thead>
            <tbody>
              {project.schema.fields.map((field) => (
                <tr key={field.key}>
                  <td>{field.label[currentLanguage()]}</td>
                  <td className="dim">{t(`kind.${field.kind}`)}</td>
                  <td className="num">{field.weight.toFixed(2)}</td>
                  <td>{field.required ? t("common.yes") : t("common.no")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {save.isError && <p className={`error ${styles.wide}`}>{problemText(save.error).detail}</p>}
        <Button type="submit" size="xs" className={styles.submit} loading={save.isPending} data-testid="settings-save">
          {t("common.save")}
        </Button>
      </form>
    </section>
  );
}
