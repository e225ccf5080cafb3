import { useTranslation } from "react-i18next";
import type { Attributes, Suggestion } from "@/api/types";
import { probability } from "@/lib/format";
import { PACKAGES, packageType, proposedAttributes } from "@/lib/label/document";
import styles from "./labeling.module.css";

/** As the API takes it. */
const MOST_STACKED = 100;

interface Props {
  attributes: Attributes;
  suggestion: Suggestion | null;
  onChange: (attributes: Attributes) => void;
}

export function AttributesRow({ attributes, suggestion, onChange }: Props) {
  const { t } = useTranslation();
  const proposed = proposedAttributes(suggestion);
  /** How a value looks that stands as the machine proposed it. */
  const asProposed = (name: "package_type" | "stack_level") => {
    const confidence = suggestion?.attributes[name]?.confidence;
    if (typeof confidence !== "number" || proposed[name] === undefined || attributes[name] !== proposed[name]) return {};
    return { "data-machine": true, title: `${t("field.confidence")} ◆ ${probability(confidence)}` };
  };
  const occlusion = attributes.occlusion_ratio;
  return (
    <div className={styles.row}>
      <div className={styles.rowLabel}>{t("attributes.title")}</div>
      <div className={styles.attributes}>
        <label>
          {t("attributes.package")}
          <select value={attributes.package_type ?? ""} data-testid="attribute-package" {...asProposed("package_type")} onChange={(event) => onChange({ ...attributes, package_type: packageType(event.target.value) })}>
            <option value="">–</option>
            {PACKAGES.map((one) => (
              <option key={one} value={one}>
                {t(`attributes.packages.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("attributes.stack")}
          <input
            type="number"
            min={1}
            max={MOST_STACKED}
            value={attributes.stack_level ?? ""}
            data-testid="attribute-stack"
            {...asProposed("stack_level")}
            onChange={(event) => onChange({ ...attributes, stack_level: event.target.value ? Math.min(Math.max(1, Math.round(Number(event.target.value))), MOST_STACKED) : null })}
          />
        </label>
        <label>
          {t("attributes.occlusion")}
          <select
            value={occlusion === null || occlusion === undefined ? "" : String(occlusion)}
            data-testid="attribute-occlusion"
            onChange={(event) => onChange({ ...attributes, occlusion_ratio: event.target.value === "" ? null : Number(event.target.value) })}
          >
            <option value="">–</option>
            {[...new Set([0, 0.1, 0.25, 0.5, 0.75, ...(occlusion ? [occlusion] : [])])].sort((a, b) => a - b).map((share) => (
              <option key={share} value={share}>
                {Math.round(share * 100)}%
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}
