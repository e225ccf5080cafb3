import { Button, NativeSelect, NumberInput, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asProblem } from "@/api/problem";
import type { Project } from "@/api/types";
import { LeaveGuard } from "@/components/LeaveGuard";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useSaveProject } from "@/features/projects/saveProject";
import { LANGUAGE_NAMES, LANGUAGES, toServer, type ServerLanguage } from "@/lib/i18n";
import { QualityRules } from "./QualityRules";
import styles from "./editor.module.css";

const settingsOf = (project: Project) => ({
  name: project.name,
  slug: project.slug,
  overlap: project.overlap,
  threshold: project.threshold,
  withhold_rate: project.withhold_rate,
  withhold_mode: project.withhold_mode,
  withhold_delay_s: project.withhold_delay_s,
  lease_seconds: project.lease_seconds,
  share: project.share,
  random_share: project.random_share,
  language: project.language,
  boxes_required: project.boxes_required,
  label_duplicates_once: project.label_duplicates_once,
  lookalikes: project.lookalikes,
  quality: project.quality,
});
type Settings = ReturnType<typeof settingsOf>;

const NUMBERS = [
  { key: "overlap", min: 1, max: 9, step: 1 },
  { key: "threshold", min: 0, max: 1, step: 0.01 },
  { key: "withhold_rate", min: 0, max: 1, step: 0.01 },
  { key: "withhold_delay_s", min: 0, max: 600, step: 1 },
  { key: "lease_seconds", min: 30, max: 86_400, step: 30 },
  { key: "share", min: 0, max: 1000, step: 0.1 },
  { key: "random_share", min: 0, max: 1, step: 0.01 },
] as const;
const WITHHOLD_MODES = ["off", "withheld", "delayed"] as const;
const SWITCHES = ["boxes_required", "label_duplicates_once", "lookalikes"] as const;

export function SettingsTab({ project }: { project: Project }) {
  const { t } = useTranslation();
  const save = useSaveProject(project.id);
  const archive = useSaveProject(project.id);
  const problemText = useProblemText();
  const [edit, setEdit] = useState<Settings>(() => settingsOf(project));
  const errors = save.isError ? asProblem(save.error).errors : [];
  const errorOf = (key: string) => errors.find((error) => error.field === key)?.message;
  const saved = settingsOf(project);
  const dirty = JSON.stringify(edit) !== JSON.stringify(saved);
  const set = (change: Partial<Settings>) => setEdit((before) => ({ ...before, ...change }));
  return (
    <form
      className={`panel ${styles.settings ?? ""}`}
      data-testid={`settings-${project.id}`}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ ...edit, quality: edit.quality ?? undefined, version: project.version }, { onSuccess: () => notify({ tone: "agree", text: t("admin.saved") }) });
      }}
    >
      <LeaveGuard dirty={dirty} />
      {(["name", "slug"] as const).map((key) => (
        <TextInput key={key} size="xs" label={t(`projects.${key}`)} description={t(`projects.${key}Hint`)} value={edit[key]} error={errorOf(key)} onChange={(event) => set({ [key]: event.currentTarget.value })} data-testid={`setting-${key}`} />
      ))}
      {NUMBERS.map(({ key, ...range }) => (
        <NumberInput
          key={key}
          size="xs"
          {...range}
          allowDecimal={range.step < 1}
          decimalScale={3}
          label={t(`projects.${key}`)}
          description={t(`projects.${key}Hint`)}
          value={edit[key]}
          error={errorOf(key)}
          onChange={(value) => value !== "" && set({ [key]: Number(value) })}
          data-testid={`setting-${key}`}
        />
      ))}
      <NativeSelect
        size="xs"
        label={t("projects.language")}
        description={t("projects.languageHint")}
        data={LANGUAGES.map((language) => ({ value: toServer(language), label: LANGUAGE_NAMES[language] }))}
        value={edit.language}
        error={errorOf("language")}
        onChange={(event) => set({ language: event.currentTarget.value as ServerLanguage })}
        data-testid="setting-language"
      />
      <NativeSelect
        size="xs"
        label={t("projects.withhold_mode")}
        description={t("projects.withhold_modeHint")}
        data={WITHHOLD_MODES.map((mode) => ({ value: mode, label: t(`projects.withholdMode.${mode}`) }))}
        value={edit.withhold_mode}
        error={errorOf("withhold_mode")}
        onChange={(event) => set({ withhold_mode: event.currentTarget.value as Settings["withhold_mode"] })}
        data-testid="setting-withhold_mode"
      />
      {SWITCHES.map((key) => (
        <Switch key={key} className={styles.switch} label={t(`projects.${key}`)} description={t(`projects.${key}Hint`)} checked={edit[key]} onChange={(event) => set({ [key]: event.currentTarget.checked })} data-testid={`setting-${key}`} />
      ))}
      {edit.quality && <QualityRules rules={edit.quality} errorOf={errorOf} onChange={(quality) => set({ quality })} />}
      {save.isError && errors.length === 0 && <p className={`error ${styles.wide ?? ""}`}>{problemText(save.error).detail}</p>}
      <div className={`${styles.wide ?? ""} ${styles.actions ?? ""}`}>
        <Button type="submit" size="xs" disabled={!dirty} loading={save.isPending} data-testid="settings-save">
          {t("common.save")}
        </Button>
        <Button size="xs" variant="subtle" disabled={!dirty} onClick={() => setEdit(saved)}>
          {t("common.cancel")}
        </Button>
        <span className="spacer" />
        {archive.isError && <span className="error">{problemText(archive.error).detail}</span>}
        <span className="dim">{project.archived_at ? t("projects.restoreHint") : t("projects.archiveHint")}</span>
        <Button
          size="xs"
          variant="default"
          disabled={dirty}
          loading={archive.isPending}
          data-testid="project-archive"
          onClick={() => archive.mutate({ archived: !project.archived_at, version: project.version }, { onSuccess: (now) => notify({ text: t(now.archived_at ? "projects.wasArchived" : "projects.wasRestored") }) })}
        >
          {project.archived_at ? t("projects.restore") : t("projects.archive")}
        </Button>
      </div>
    </form>
  );
}
