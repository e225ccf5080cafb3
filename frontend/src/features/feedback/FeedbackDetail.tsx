import { Drawer } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { FieldValue } from "@/api/types";
import { UnknownValue } from "@/components/fields/UnknownButton";
import { PhotoStage } from "@/components/photo/PhotoStage";
import type { StageBox } from "@/components/photo/types";
import { ErrorState, RowsSkeleton } from "@/components/states";
import { isUnknown } from "@/lib/captions";
import { dateTime } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { useFeedback, useRefreshFeedback } from "./feedback";
import { OutcomeTag } from "./OutcomeTag";
import styles from "./feedback.module.css";

function Value({ value }: { value: FieldValue | undefined }) {
  if (isUnknown(value)) return <UnknownValue reason={value.unknown} />;
  return value ? <>{value}</> : <span className="dim">–</span>;
}

function Detail({ id }: { id: number }) {
  const { t, i18n } = useTranslation();
  const query = useFeedback(id);
  const refresh = useRefreshFeedback();
  const there = query.isSuccess;
  useEffect(() => {
    if (there) void refresh();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each that is opened
  }, [there, id]);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const { captures, mine, decision, changed, comment, schema, outcome, created_at } = query.data;
  const capture = captures[0];
  const boxesOf = (hue: StageBox["hue"], label: string, boxes: typeof mine.boxes): StageBox[] => boxes.filter((box) => box.capture === capture?.id).map((box, n) => ({ ...box, id: `${hue}${n}`, hue, label, locked: true }));
  return (
    <div className={styles.detail} data-testid="feedback-detail">
      <p>
        <OutcomeTag outcome={outcome} /> <span className="dim">{dateTime(created_at, i18n.language)}</span>
      </p>
      {comment && <blockquote className={styles.comment}>{comment}</blockquote>}
      {capture && (
        <div className={styles.photo}>
          <PhotoStage capture={capture} boxes={[...boxesOf("a", t("feedback.mine"), mine.boxes), ...(decision ? boxesOf("b", t("feedback.decision"), decision.boxes) : [])]} />
        </div>
      )}
      <table className="list">
        <thead>
          <tr>
            <th>
              <span className="visually-hidden">{t("feedback.field")}</span>
            </th>
            <th scope="col">{t("feedback.mine")}</th>
            <th scope="col">{t("feedback.decision")}</th>
          </tr>
        </thead>
        <tbody>
          {schema.fields.map((field) => (
            <tr key={field.key} data-changed={changed.includes(field.key) || undefined}>
              <th scope="row">{field.label[currentLanguage()]}</th>
              <td>
                <Value value={mine.fields[field.key]} />
              </td>
              <td className={changed.includes(field.key) ? "dispute" : undefined}>{decision ? <Value value={decision.fields[field.key]} /> : <span className="dim">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!decision && <p className="dim">{t(outcome === "rejected" ? "feedback.noneRejected" : "feedback.noneYet")}</p>}
    </div>
  );
}

/** What became of one answer: the photo, one's own caption and the decision side by side. */
export function FeedbackDrawer({ id, onClose }: { id: number | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer opened={id !== undefined} onClose={onClose} position="right" size="lg" title={t("feedback.one")}>
      {id !== undefined && <Detail key={id} id={id} />}
    </Drawer>
  );
}
