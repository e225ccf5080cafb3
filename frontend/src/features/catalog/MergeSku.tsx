import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Sku, SkuHit } from "@/api/types";
import { SkuInput } from "@/components/fields/SkuInput";
import { useProblemText } from "@/components/states";
import { notify } from "@/components/toast";
import { useMergeSku } from "./merge";
import styles from "./catalog.module.css";

/** The same product under two codes: choose the one that stays. */
export function MergeSku({ site, sku, onMerged }: { site: number; sku: Sku; onMerged: (id: number) => void }) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const merge = useMergeSku(site, sku.id);
  const [typed, setTyped] = useState("");
  const [target, setTarget] = useState<SkuHit | null>(null);
  return (
    <section>
      <h3>{t("catalog.merge")}</h3>
      <p className="dim">{t("catalog.mergeHint")}</p>
      <div className={styles.importBar}>
        <SkuInput
          site={site}
          value={typed}
          label={t("catalog.mergeInto")}
          testId="merge-into"
          onChange={(next) => {
            setTyped(next);
            setTarget(null);
          }}
          onPick={(hit) => {
            setTyped(hit.code);
            setTarget(hit);
          }}
        />
        <Button
          size="xs"
          variant="default"
          disabled={!target || target.id === sku.id}
          loading={merge.isPending}
          data-testid="merge-do"
          onClick={() =>
            target &&
            merge.mutate(target.id, {
              onSuccess: (kept) => {
                notify({ tone: "agree", text: t("catalog.merged", { from: sku.code, into: kept.code }) });
                onMerged(kept.id);
              },
            })
          }
        >
          {target ? t("catalog.mergeDo", { from: sku.code, into: target.code }) : t("catalog.merge")}
        </Button>
      </div>
      {merge.isError && <p className="error">{problemText(merge.error).detail}</p>}
    </section>
  );
}
