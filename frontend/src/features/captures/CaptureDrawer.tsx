import { Drawer } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Capture } from "@/api/types";
import { ErrorState, RowsSkeleton } from "@/components/states";
import { dateTime, probability } from "@/lib/format";
import { useCapture } from "./capture";
import styles from "./captures.module.css";

function Pictures({ captures, onOpen }: { captures: readonly Capture[]; onOpen: (id: number) => void }) {
  return (
    <div className={styles.duplicates}>
      {captures.map((one) => (
        <button key={one.id} type="button" onClick={() => onOpen(one.id)}>
          <img src={one.images.thumb} alt={one.image_id} loading="lazy" />
        </button>
      ))}
    </div>
  );
}

function Detail({ id, onOpen }: { id: number; onOpen: (id: number) => void }) {
  const { t, i18n } = useTranslation();
  const query = useCapture(id);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const capture = query.data;
  const { suggestion } = capture;
  return (
    <div className={styles.detail} data-testid="capture-detail">
      <a href={capture.images.original} target="_blank" rel="noreferrer">
        <img src={capture.images.display} alt={capture.original_name} />
      </a>
      <dl>
        <dt>{t("captures.file")}</dt>
        <dd>{capture.original_name}</dd>
        <dt>{t("captures.size")}</dt>
        <dd>
          {capture.width} × {capture.height} px
        </dd>
        <dt>{t("captures.cam")}</dt>
        <dd>{capture.cam_type ? t(`cam.${capture.cam_type}`) : "–"}</dd>
        <dt>{t("captures.sharpness")}</dt>
        <dd>
          {probability(capture.sharpness) || "–"} · {t("captures.exposure")} {probability(capture.exposure) || "–"}
        </dd>
        {capture.weight_g !== null && (
          <>
            <dt>{t("captures.weight")}</dt>
            <dd>{t("captures.grams", { count: capture.weight_g })}</dd>
          </>
        )}
        <dt>{t("captures.at")}</dt>
        <dd>{dateTime(capture.created_at, i18n.language)}</dd>
        <dt>SHA-256</dt>
        <dd className="mono">{capture.sha256}</dd>
      </dl>
      <h3 className="machine">{t("captures.suggestion")}</h3>
      {suggestion ? (
        <table className="list">
          <tbody>
            {suggestion.candidates.slice(0, 5).map((candidate) => (
              <tr key={candidate.sku_code}>
                <td className="mono">{candidate.sku_code}</td>
                <td>{candidate.name}</td>
                <td className="num machine">{probability(candidate.confidence)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="dim">{t("captures.noSuggestion")}</p>
      )}
      {suggestion && <p className="dim">{t("captures.model", { version: suggestion.model_version })}</p>}
      {capture.views.length > 0 && <h3>{t("captures.views")}</h3>}
      <Pictures captures={capture.views} onOpen={onOpen} />
      {capture.duplicates.length > 0 && <h3>{t("captures.duplicates")}</h3>}
      <Pictures captures={capture.duplicates} onOpen={onOpen} />
    </div>
  );
}

export function CaptureDrawer({ id, onOpen, onClose }: { id: number | undefined; onOpen: (id: number) => void; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer opened={id !== undefined} onClose={onClose} position="right" size="lg" title={t("captures.detail")} closeButtonProps={{ "aria-label": t("common.close") }}>
      {id !== undefined && <Detail id={id} onOpen={onOpen} />}
    </Drawer>
  );
}
