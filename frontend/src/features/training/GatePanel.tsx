import { Button, Checkbox, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorState, RowsSkeleton, useProblemText } from "@/components/states";
import { useGate, useSetGate, type Gate } from "./training";
import styles from "./training.module.css";

const SHARES = ["margin", "field_fall", "category_fall", "tail_fall", "gold_fall"] as const;

function Form({ site, gate }: { site: number; gate: Gate }) {
  const { t } = useTranslation();
  const save = useSetGate(site);
  const problemText = useProblemText();
  const [draft, setDraft] = useState(gate);
  return (
    <form
      className={styles.bar}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(draft);
      }}
    >
      {SHARES.map((name) => (
        <NumberInput
          key={name}
          size="xs"
          w={150}
          label={t(`training.rule.${name}`)}
          min={0}
          max={100}
          decimalScale={2}
          suffix="%"
          value={Number((100 * (draft[name] ?? 0)).toFixed(2))}
          onChange={(value) => setDraft({ ...draft, [name]: Number(value) / 100 })}
          data-testid={`gate-${name}`}
        />
      ))}
      <NumberInput size="xs" w={150} label={t("training.rule.min_photos")} min={1} allowDecimal={false} value={draft.min_photos ?? 1} onChange={(value) => setDraft({ ...draft, min_photos: Number(value) || 1 })} data-testid="gate-min-photos" />
      <Checkbox size="xs" label={t("training.rule.auto_promote")} checked={draft.auto_promote ?? true} onChange={(event) => setDraft({ ...draft, auto_promote: event.currentTarget.checked })} data-testid="gate-auto" />
      <Button type="submit" size="xs" loading={save.isPending} data-testid="gate-save">
        {t("training.save")}
      </Button>
      {save.isError && <span className="error">{problemText(save.error).detail}</span>}
    </form>
  );
}

/** What a challenger must reach on this site. */
export function GatePanel({ site }: { site: number }) {
  const query = useGate(site);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <Form key={query.data.version} site={site} gate={query.data} />;
}
