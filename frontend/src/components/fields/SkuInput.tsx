import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSkuAutocomplete } from "@/api/skuAutocomplete";
import type { SkuHit } from "@/api/types";
import { useDebounced } from "@/lib/useDebounced";
import { ComboInput } from "./ComboInput";
import styles from "./fields.module.css";

interface Props {
  site: number;
  value: string;
  onChange: (value: string) => void;
  onPick: (hit: SkuHit) => void;
  onBlur?: () => void;
  label: string;
  invalid?: boolean;
  onNumber?: (digit: number) => boolean;
  machine?: boolean;
  doubted?: boolean;
  testId?: string;
}

/** Finds a SKU by code, barcode, name, pinyin or initials in the site's catalog. */
export function SkuInput({ site, value, onChange, onPick, ...rest }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const asked = useDebounced(typed, 120);
  const { data, isPlaceholderData } = useSkuAutocomplete(site, asked);
  const hits = data?.results ?? [];
  return (
    <ComboInput
      {...rest}
      value={value}
      placeholder={t("field.skuPlaceholder")}
      fresh={asked === typed && !isPlaceholderData && data !== undefined}
      onChange={(next) => {
        setTyped(next);
        onChange(next);
      }}
      options={
        typed
          ? hits.map((hit) => ({
              key: hit.code,
              value: hit.code,
              content: (
                <>
                  {hit.thumb && <img className={styles.optionThumb} src={hit.thumb} alt="" />}
                  <span className={styles.optionText}>
                    <span className="mono">{hit.code}</span> {hit.name}
                    <span className={styles.optionSub}>
                      {hit.category} · {hit.spec}
                    </span>
                  </span>
                  <span className="dim">{t(`skuMatch.${hit.match}`)}</span>
                </>
              ),
            }))
          : []
      }
      onPick={(option) => {
        const hit = hits.find((one) => one.code === option.value);
        if (hit) onPick(hit);
        setTyped("");
      }}
    />
  );
}
