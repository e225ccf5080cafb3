import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { Feedback, Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import type { Column } from "@/components/list/columns";
import { ListTable, Nothing, Thumb } from "@/components/list/ListTable";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { ColumnsMenu } from "@/features/views/ColumnsMenu";
import { useColumns } from "@/features/views/useColumns";
import { dateTime } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { OUTCOMES, useFeedbackList, useReadAll, type FeedbackFilter } from "./feedback";
import { FeedbackDrawer } from "./FeedbackDetail";
import { OutcomeTag } from "./OutcomeTag";
import styles from "./feedback.module.css";

export interface FeedbackView extends FeedbackFilter {
  open?: number;
  cols?: string;
}

interface Props {
  projects: readonly Project[];
  view: FeedbackView;
  onView: (view: FeedbackView) => void;
}

/** What reviewers made of one's answers. */
export function FeedbackPage({ projects, view, onView }: Props) {
  const { t, i18n } = useTranslation();
  const filter: FeedbackFilter = { outcome: view.outcome, unread: view.unread };
  const query = useFeedbackList(filter);
  const readAll = useReadAll();
  const rows = flatten(query.data);
  const projectOf = (row: Feedback) => projects.find((one) => one.id === row.project);
  const nameOf = (row: Feedback, key: string) => projectOf(row)?.schema.fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key;
  const columns = useColumns<Feedback>(
    "feedback",
    [
      { key: "photo", label: t("review.photo"), cell: (row) => <Thumb src={row.thumb} /> },
      {
        key: "task",
        label: t("review.task"),
        fixed: true,
        cell: (row) => (
          <button type="button" className={styles.open} data-unread={!row.read || undefined} onClick={() => onView({ ...view, open: row.id })}>
            #{row.task}
            {!row.read && <span className="visually-hidden"> {t("feedback.new")}</span>}
          </button>
        ),
      },
      { key: "outcome", label: t("feedback.outcomeTitle"), cell: (row) => <OutcomeTag outcome={row.outcome} /> },
      { key: "changed", label: t("feedback.changed"), cell: (row) => (row.changed.length > 0 ? row.changed.map((key) => nameOf(row, key)).join(" · ") : <Nothing />) },
      { key: "comment", label: t("feedback.comment"), cell: (row) => row.comment || <Nothing /> },
      { key: "caption", label: t("feedback.mine"), cell: (row) => <span className="mono">{row.caption}</span> },
      { key: "project", label: t("feedback.project"), off: true, cell: (row) => projectOf(row)?.name ?? <Nothing /> },
      { key: "at", label: t("feedback.at"), num: true, cell: (row) => <span className="dim">{dateTime(row.created_at, i18n.language)}</span> },
    ] satisfies Column<Feedback>[],
    view.cols,
  );
  const filtered = view.outcome !== undefined || view.unread !== undefined;
  const first = projects[0];
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("feedback.title")}</h1>
        {projects.map((project) => (
          <Link key={project.id} to="/p/$projectId/mine" params={{ projectId: project.id }} data-testid={`mine-${project.id}`}>
            {t("quality.mine")}
            {projects.length > 1 && ` · ${project.name}`}
          </Link>
        ))}
        <span className="spacer" />
        <ColumnsMenu columns={columns} onChosen={() => onView({ ...view, cols: undefined })} />
        <Button size="xs" variant="default" loading={readAll.isPending} disabled={rows.every((row) => row.read)} onClick={() => readAll.mutate()} data-testid="feedback-read-all">
          {t("feedback.readAll")}
        </Button>
      </div>
      <div className="pageHead">
        <Chips
          label={t("feedback.outcomeTitle")}
          value={view.outcome}
          onChange={(outcome) => onView({ ...view, outcome })}
          options={[{ value: undefined, label: t("common.all") }, ...OUTCOMES.map((value) => ({ value, label: t(`feedback.outcome.${value}`), testId: `feedback-${value}` }))]}
        />
        <Chips label={t("feedback.new")} value={view.unread ? "yes" : undefined} onChange={() => onView({ ...view, unread: view.unread ? undefined : true })} options={[{ value: "yes", label: t("feedback.onlyNew"), testId: "feedback-unread" }]} />
      </div>
      <div className="panel">
        {query.isPending && <RowsSkeleton />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && rows.length === 0 && (
          <EmptyState title={filtered ? t("feedback.noMatch") : t("feedback.empty")}>
            {filtered ? t("tasks.emptyFilter") : first ? <Link to="/p/$projectId/label" params={{ projectId: first.id }}>{t("home.start")}</Link> : t("feedback.emptyHint")}
          </EmptyState>
        )}
        {rows.length > 0 && <ListTable columns={columns.shown} rows={rows} rowKey={(row) => row.id} testId={(row) => `feedback-row-${row.task}`} />}
        <More query={query} />
      </div>
      <FeedbackDrawer id={view.open} onClose={() => onView({ ...view, open: undefined })} />
    </div>
  );
}
