import { useTranslation } from "react-i18next";
import { useKeyLabel } from "@/lib/keymap";
import offer from "@/components/offer.module.css";

interface Props {
  boxCount: number;
  /** the number that stands in the field, where it is a simple one */
  count: number | null;
  /** what the number of boxes would be as a quantity */
  counted: string;
  onCount: () => void;
}

/** Whether as many boxes are drawn as goods are counted; one key takes the number of boxes. */
export function BoxCount({ boxCount, count, counted, onCount }: Props) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  if (boxCount === 0) return null;
  if (count === boxCount) return <span className="agree">{t("caption.boxesAgree", { count: boxCount })}</span>;
  return (
    <>
      <span className={count === null ? "dim" : "dispute"}>{t("label.boxes", { count: boxCount })}</span>
      <button type="button" tabIndex={-1} className={offer.offer} data-testid="count-boxes" onClick={onCount}>
        {t("caption.fromBoxes", { value: counted })} <kbd>{keyLabel("countBoxes")}</kbd>
      </button>
    </>
  );
}

/** What the "as on the last photo" key would fill. */
export function RepeatOffer({ values, onRepeat }: { values: readonly string[]; onRepeat: () => void }) {
  const { t } = useTranslation();
  const keyLabel = useKeyLabel();
  if (values.length === 0) return null;
  return (
    <button type="button" tabIndex={-1} className={offer.offer} data-testid="repeat" onClick={onRepeat}>
      {t("caption.repeat", { values: values.join("，") })} <kbd>{keyLabel("repeat")}</kbd>
    </button>
  );
}
