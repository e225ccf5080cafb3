import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { CaptureRow, Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { probability } from "@/lib/format";
import { CaptureDrawer } from "./CaptureDrawer";
import { useCaptures, type CaptureFilter } from "./captures";
import { QuarantineTab } from "./QuarantineTab";
import { UploadPanel } from "./UploadPanel";
import styles from "./captures.module.css";

export interface CapturesView extends CaptureFilter {
  tab?: "quarantine";
  capture?: number;
}

interface Props {
  site: number;
  projects: readonly Project[];
  view: CapturesView;
  onView: (view: CapturesView) => void;
  mayUpload: boolean;
}

function SuggestionTag({ capture }: { capture: CaptureRow }) {
  const { t } = useTranslation();
  const { suggestion_state: state, top_sku: sku, top_confidence: confidence } = capture;
  if (state === "done" && sku) {
    return (
      <span className={`tag machine ${styles.guess}`} title={sku}>
        {sku} {probability(confidence)}
      </span>
    );
  }
  return <span className={`tag ${state === "failed" ? "error" : ""}`}>{t(`suggestionState.${state}`)}</span>;
}

function Grid({ site, view, onView }: Pick<Props, "site" | "view" | "onView">) {
  const { t } = useTranslation();
  const query = useCaptures(site, view);
  const captures = flatten(query.data);
  if (query.isPending) return <RowsSkeleton rows={4} height={120} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (captures.length === 0) return <EmptyState title={t("captures.empty")}>{view.search || view.cam || view.duplicate !== undefined ? t("tasks.emptyFilter") : t("captures.emptyHint")}</EmptyState>;
  return (
    <>
      <ul className={styles.grid}>
        {captures.map((capture) => (
          <li key={capture.id}>
            <button type="button" className={styles.tile} data-testid={`capture-${capture.id}`} onClick={() => onView({ ...view, capture: capture.id })}>
              <img src={capture.images.thumb} alt={capture.image_id} loading="lazy" />
              <span className={styles.tileName}>{capture.image_id}</span>
              <span className={styles.tileTags}>
                {capture.cam_type && <span className="tag">{t(`cam.${capture.cam_type}`)}</span>}
                <SuggestionTag capture={capture} />
                {capture.duplicate_of !== null && <span className="tag dispute">{t("captures.near")}</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <More query={query} />
    </>
  );
}

export function CapturesPage({ site, projects, view, onView, mayUpload }: Props) {
  const { t } = useTranslation();
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("captures.title")}</h1>
        <Chips
          label={t("captures.title")}
          value={view.tab}
          onChange={(tab) => onView({ tab })}
          options={[
            { value: undefined, label: t("captures.good") },
            { value: "quarantine" as const, label: t("captures.quarantine"), testId: "tab-quarantine" },
          ]}
        />
        <span className="spacer" />
        {!view.tab && (
          <>
            <Chips<string>
              label={t("captures.cam")}
              value={view.cam}
              onChange={(cam) => onView({ ...view, cam })}
              options={[{ value: undefined, label: t("common.all") }, ...(["top", "front", "side"] as const).map((cam) => ({ value: cam, label: t(`cam.${cam}`) }))]}
            />
            <Chips
              label={t("captures.near")}
              value={view.duplicate ? "yes" : undefined}
              onChange={(value) => onView({ ...view, duplicate: value === "yes" && !view.duplicate ? true : undefined })}
              options={[{ value: "yes", label: t("captures.nearOnly") }]}
            />
            <SearchInput value={view.search ?? ""} onSearch={(search) => onView({ ...view, search: search || undefined })} label={t("captures.search")} testId="captures-search" />
          </>
        )}
      </div>
      {view.tab === "quarantine" ? (
        <QuarantineTab site={site} />
      ) : (
        <>
          {mayUpload && <UploadPanel site={site} projects={projects} />}
          <Grid site={site} view={view} onView={onView} />
        </>
      )}
      <CaptureDrawer id={view.capture} onOpen={(capture) => onView({ ...view, capture })} onClose={() => onView({ ...view, capture: undefined })} />
    </div>
  );
}
