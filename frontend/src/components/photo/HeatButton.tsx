import { useTranslation } from "react-i18next";
import type { HeatMap, SchemaField } from "@/api/types";
import { currentLanguage } from "@/lib/i18n";
import { useKeyLabel } from "@/lib/keymap";

interface Props {
  field: SchemaField;
  /** null where the field has none on this view */
  map: HeatMap | null;
  pressed: boolean;
  onToggle: () => void;
  className?: string;
}

/** Switches the heat map, and says of which field it is or that there is none. */
export function HeatButton({ field, map, pressed, onToggle, className }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  const name = field.label[currentLanguage()];
  return (
    <button type="button" aria-pressed={pressed} className={className} title={t(map ? "photo.heatOf" : "photo.heatNone", { field: name })} data-layer="machine" data-testid="layer-heat" onClick={onToggle}>
      {t("photo.heat")} {map ? name : t("photo.none")} <kbd>{keyLabel("heat")}</kbd>
    </button>
  );
}
