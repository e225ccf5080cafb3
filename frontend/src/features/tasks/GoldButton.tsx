import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useProblemText } from "@/components/states";
import { useGold } from "./gold";

/** Makes a decided task one by which annotators are measured, or no longer. */
export function GoldButton({ taskId, gold }: { taskId: number; gold: boolean }) {
  const { t } = useTranslation();
  const change = useGold(taskId);
  const problemText = useProblemText();
  return (
    <p>
      <Button size="xs" variant="default" loading={change.isPending} onClick={() => change.mutate(!gold)} data-testid={gold ? "gold-retire" : "gold-make"}>
        {t(gold ? "tasks.retireGold" : "tasks.makeGold")}
      </Button>{" "}
      <span className={change.isError ? "error" : "dim"}>{change.isError ? problemText(change.error).detail : t(gold ? "tasks.isGold" : "tasks.goldHint")}</span>
    </p>
  );
}
