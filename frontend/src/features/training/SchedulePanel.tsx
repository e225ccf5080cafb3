import { Button, Checkbox, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { useProjects } from "@/features/projects/projects";
import { useSchedule, useSetSchedule, type Schedule } from "./training";
import styles from "./training.module.css";

const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6] as const;
const DAILY = "";

function Form({ site, schedule }: { site: number; schedule: Schedule }) {
  const { t } = useTranslation();
  const save = useSetSchedule(site);
  const problemText = useProblemText();
  const [draft, setDraft] = useState(schedule);
  const projects = (useProjects().data ?? []).filter((one) => one.site.id === site);
  const set = (changes: Partial<Schedule>) => setDraft({ ...draft, ...changes });
  const orNull = (value: number | string) => (value === "" ? null : Number(value));
  return (
    <form
      className={styles.bar}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ ...draft, project: draft.project ?? projects[0]?.id ?? null });
      }}
    >
      <Checkbox size="xs" label={t("training.when.enabled")} checked={draft.enabled ?? true} onChange={(event) => set({ enabled: event.currentTarget.checked })} data-testid="schedule-enabled" />
      <NativeSelect size="xs" label={t("training.project")} value={String(draft.project ?? projects[0]?.id ?? "")} onChange={(event) => set({ project: Number(event.currentTarget.value) })} data={projects.map((one) => ({ value: String(one.id), label: one.name }))} />
      <NumberInput size="xs" w={110} label={t("training.when.hour")} min={0} max={23} allowDecimal={false} value={draft.hour ?? ""} onChange={(value) => set({ hour: orNull(value) })} data-testid="schedule-hour" />
      <NativeSelect
        size="xs"
        label={t("training.when.day")}
        value={draft.weekday == null ? DAILY : String(draft.weekday)}
        onChange={(event) => set({ weekday: event.currentTarget.value === DAILY ? null : Number(event.currentTarget.value) })}
        data={[{ value: DAILY, label: t("training.when.daily") }, ...WEEKDAYS.map((day) => ({ value: String(day), label: t(`training.weekday.${day}`) }))]}
      />
      <TextInput size="xs" w={150} label={t("training.when.timezone")} value={draft.timezone ?? ""} onChange={(event) => set({ timezone: event.currentTarget.value })} />
      <NumberInput size="xs" w={150} label={t("training.when.new_decisions")} min={1} allowDecimal={false} value={draft.new_decisions ?? ""} onChange={(value) => set({ new_decisions: orNull(value) })} data-testid="schedule-count" />
      <NumberInput
        size="xs"
        w={170}
        label={t("training.when.drift_fall")}
        min={1}
        max={100}
        suffix="%"
        value={draft.drift_fall == null ? "" : Math.round(100 * draft.drift_fall)}
        onChange={(value) => set({ drift_fall: value === "" ? null : Number(value) / 100 })}
        data-testid="schedule-drift"
      />
      <Button type="submit" size="xs" loading={save.isPending} disabled={projects.length === 0} data-testid="schedule-save">
        {t("training.save")}
      </Button>
      {save.isError && <span className="error">{problemText(save.error).detail}</span>}
    </form>
  );
}

/** When this site's runs start by themselves: by the clock, by what is new, when suggestions get worse. */
export function SchedulePanel({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useSchedule(site);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  // until one is saved, the clock is that of who looks
  const schedule = query.data.version ? query.data : { ...query.data, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone };
  return (
    <>
      <p className={styles.hint}>{t("training.when.hint")}</p>
      <Form key={query.data.version} site={site} schedule={schedule} />
    </>
  );
}
