import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { CaptureRow, Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import { Choose } from "@/components/Choose";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { ViewsMenu } from "@/features/views/ViewsMenu";
import { probability } from "@/lib/format";
import { CaptureDrawer } from "./CaptureDrawer";
import { CAMERAS, CAPTURE_SORTS, SUGGESTION_STATES, useCaptures, type CaptureFilter } from "./captures";
import { GroupsTab } from "./GroupsTab";
import { QuarantineTab } from "./QuarantineTab";
import { UploadPanel } from "./UploadPanel";
import styles from "./captures.module.css";

export const CAPTURE_TABS = ["groups", "quarantine"] as const;

export interface CapturesView extends CaptureFilter {
  tab?: (typeof CAPTURE_TABS)[number];
  code?: string;
  group?: number;
  capture?: number;
}

interface Props {
  site: number;
  /** Absent until they are known: photos must not go to no project by haste. */
  projects: readonly Project[] | undefined;
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

/** What of the view narrows or orders the list; the rest says what is open. */
const filterOf = ({ search, cam, duplicate, project, state, sort }: CapturesView): CaptureFilter => ({ search, cam, duplicate, project, state, sort });

function Grid({ site, view, onView }: Pick<Props, "site" | "view" | "onView">) {
  const { t } = useTranslation();
  const filter = filterOf(view);
  const filtered = Object.values({ ...filter, sort: undefined }).some((value) => value !== undefined);
  const query = useCaptures(site, filter);
  const captures = flatten(query.data);
  if (query.isPending) return <RowsSkeleton rows={4} height={120} />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (captures.length === 0) return <EmptyState title={t("captures.empty")}>{filtered ? t("tasks.emptyFilter") : t("captures.emptyHint")}</EmptyState>;
  return (
    <>
      <ul className={styles.grid} data-list>
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

function Filters({ projects, view, onView }: { projects: readonly Project[]; view: CapturesView; onView: Props["onView"] }) {
  const { t } = useTranslation();
  return (
    <div className="pageHead">
      <Chips
        label={t("captures.cam")}
        value={view.cam}
        onChange={(cam) => onView({ ...view, cam })}
        options={[{ value: undefined, label: t("common.all") }, ...CAMERAS.map((cam) => ({ value: cam, label: t(`cam.${cam}`) }))]}
      />
      <Chips
        label={t("captures.near")}
        value={view.duplicate ? "yes" : undefined}
        onChange={(value) => onView({ ...view, duplicate: value === "yes" && !view.duplicate ? true : undefined })}
        options={[{ value: "yes", label: t("captures.nearOnly") }]}
      />
      <span className="spacer" />
      {projects.length > 0 && (
        <Choose
          label={t("captures.inProject")}
          none={t("captures.anyProject")}
          value={view.project === undefined ? undefined : String(view.project)}
          onChange={(project) => onView({ ...view, project: project === undefined ? undefined : Number(project) })}
          options={projects.map(({ id, name }) => ({ value: String(id), label: name }))}
          testId="captures-project"
        />
      )}
      <Choose label={t("captures.suggestion")} none={t("captures.suggestion")} value={view.state} onChange={(state) => onView({ ...view, state })} options={SUGGESTION_STATES.map((value) => ({ value, label: t(`suggestionState.${value}`) }))} testId="captures-state" />
      <Choose label={t("sort.label")} value={view.sort ?? "newest"} onChange={(sort) => onView({ ...view, sort: sort === "newest" ? undefined : sort })} options={CAPTURE_SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))} testId="captures-sort" />
    </div>
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
            { value: "groups" as const, label: t("captures.groups"), testId: "tab-groups" },
            { value: "quarantine" as const, label: t("captures.quarantine"), testId: "tab-quarantine" },
          ]}
        />
        <span className="spacer" />
        {!view.tab && (
          <>
            <SearchInput value={view.search ?? ""} onSearch={(search) => onView({ ...view, search: search || undefined })} label={t("captures.search")} testId="captures-search" />
            <ViewsMenu site={site} page="captures" query={{ ...filterOf(view) }} onChoose={(chosen) => onView(chosen)} />
          </>
        )}
      </div>
      {view.tab === "quarantine" && <QuarantineTab site={site} code={view.code} onCode={(code) => onView({ tab: "quarantine", code })} mayDismiss={mayUpload} />}
      {view.tab === "groups" && <GroupsTab site={site} open={view.group} onOpen={(group) => onView({ tab: "groups", group })} onCapture={(capture) => onView({ ...view, capture })} />}
      {!view.tab && (
        <>
          {mayUpload && projects && <UploadPanel site={site} projects={projects} />}
          <Filters projects={projects ?? []} view={view} onView={onView} />
          <Grid site={site} view={view} onView={onView} />
        </>
      )}
      <CaptureDrawer id={view.capture} onOpen={(capture) => onView({ ...view, capture })} onClose={() => onView({ ...view, capture: undefined })} />
    </div>
  );
}
