import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { Dispute, Project } from "@/api/types";
import { Chips } from "@/components/Chips";
import { Choose } from "@/components/Choose";
import type { Column } from "@/components/list/columns";
import { ListTable, Nothing, Thumb } from "@/components/list/ListTable";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { UrgentTag } from "@/components/stateTag";
import { countsOf } from "@/features/projects/counts";
import { ColumnsMenu } from "@/features/views/ColumnsMenu";
import { useColumns } from "@/features/views/useColumns";
import { ViewsMenu } from "@/features/views/ViewsMenu";
import { dateTime, integer, probability } from "@/lib/format";
import { currentLanguage } from "@/lib/i18n";
import { isFree } from "./claim";
import { DISPUTE_SORTS, disputeFilter, SEVERITIES, useDisputes, useDisputeSummary, type DisputeFilter } from "./disputes";
import { Reasons } from "./Reasons";

interface Props {
  project: Project;
  filter: DisputeFilter;
  cols: string | undefined;
  onFilter: (search: DisputeFilter & { cols?: string }) => void;
}

const TONE = { high: "error", medium: "dispute", low: "" } as const;

export function ReviewListPage({ project, filter, cols, onFilter }: Props) {
  const { t, i18n } = useTranslation();
  const counts = countsOf(project);
  const query = useDisputes(project.id, filter);
  const summary = useDisputeSummary(project.id).data;
  const disputes = flatten(query.data);
  const first = disputes.find((dispute) => isFree(dispute));
  const narrow = (change: DisputeFilter) => onFilter({ ...filter, ...change, cols });
  const filtered = Object.values({ ...filter, sort: undefined }).some((value) => value !== undefined);
  const nameOf = (key: string) => project.schema.fields.find((field) => field.key === key)?.label[currentLanguage()] ?? key;
  const number = (value: number | undefined) => integer(value ?? 0, i18n.language);
  const toDispute = (row: Dispute) => ({ to: "/p/$projectId/review/$taskId" as const, params: { projectId: project.id, taskId: row.task.id }, search: filter, preload: false as const });
  const columns = useColumns<Dispute>(
    "disputes",
    [
      { key: "photo", label: t("review.photo"), cell: (row) => <Thumb src={row.thumb} /> },
      {
        key: "task",
        label: t("review.task"),
        fixed: true,
        cell: (row) => (
          <>
            <Link {...toDispute(row)}>#{row.task.id}</Link> {row.task.priority === "urgent" && <UrgentTag />} {row.reopened && <span className="tag">{t("review.reopened")}</span>}
          </>
        ),
      },
      { key: "severity", label: t("review.severity"), cell: (row) => <span className={`tag ${TONE[row.severity]}`}>{t(`review.severityOf.${row.severity}`)}</span> },
      { key: "why", label: t("review.why"), cell: (row) => <Reasons reasons={row.reasons} fields={project.schema.fields} /> },
      { key: "fields", label: t("review.differing"), cell: (row) => (row.differing.length > 0 ? row.differing.map(nameOf).join(" · ") : <Nothing />) },
      { key: "agreement", label: t("review.agreement"), num: true, cell: (row) => (row.score === null ? <Nothing /> : probability(row.score)) },
      { key: "pair", label: t("review.pair"), cell: (row) => (row.pair ? <span className="mono">{row.pair}</span> : <Nothing />) },
      { key: "opened", label: t("review.opened"), cell: (row) => <span className="dim">{dateTime(row.opened_at, i18n.language)}</span> },
      { key: "claimed", label: t("review.claimed"), cell: (row) => row.claimed_by ?? <Nothing /> },
    ] satisfies Column<Dispute>[],
    cols,
  );
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("review.title")}</h1>
        <span className="dim" data-testid="dispute-count">
          {t("review.count", { count: counts.disputed })}
        </span>
        <span className="spacer" />
        {summary && summary.trivial > 0 && (
          <Link to="/p/$projectId/review/trivial" params={{ projectId: project.id }} data-testid="trivial-open">
            {t("review.trivialCount", { count: summary.trivial })}
          </Link>
        )}
        <ViewsMenu site={project.site.id} page="disputes" query={{ ...filter, cols }} columns={columns.shown} onChoose={(chosen) => onFilter({ ...disputeFilter(chosen), cols: typeof chosen.cols === "string" ? chosen.cols : undefined })} />
        <ColumnsMenu columns={columns} onChosen={() => onFilter({ ...filter, cols: undefined })} />
        {first && (
          <Link className="primaryLink" {...toDispute(first)} data-testid="review-start">
            {t("review.start")} →
          </Link>
        )}
      </div>
      <div className="pageHead">
        <Chips
          label={t("review.severity")}
          value={filter.severity}
          onChange={(severity) => narrow({ severity })}
          options={[
            { value: undefined, label: t("common.all"), count: summary?.total },
            ...SEVERITIES.map((value) => ({ value, label: t(`review.severityOf.${value}`), count: summary?.severities[value], testId: `review-severity-${value}` })),
          ]}
        />
        <Chips label={t("review.reopened")} value={filter.reopened ? "yes" : undefined} onChange={() => narrow({ reopened: filter.reopened ? undefined : true })} options={[{ value: "yes", label: t("review.onlyReopened"), testId: "review-reopened" }]} />
        <span className="spacer" />
        <Choose
          label={t("review.field")}
          none={t("review.anyField")}
          value={filter.field}
          onChange={(field) => narrow({ field })}
          options={project.schema.fields.map((field) => ({ value: field.key, label: `${field.label[currentLanguage()]} ${number(summary?.fields[field.key])}` }))}
          testId="review-field"
        />
        {summary && (summary.pairs.length > 0 || filter.pair) && (
          <Choose
            label={t("review.pairHint")}
            none={t("review.anyPair")}
            value={filter.pair}
            onChange={(pair) => narrow({ pair })}
            options={[
              ...summary.pairs.map(({ pair, count }) => ({ value: pair, label: `${pair} ${number(count)}` })),
              ...(filter.pair && !summary.pairs.some(({ pair }) => pair === filter.pair) ? [{ value: filter.pair, label: filter.pair }] : []),
            ]}
            testId="review-pair"
          />
        )}
        <Choose label={t("sort.label")} value={filter.sort ?? "urgent"} onChange={(sort) => narrow({ sort: sort === "urgent" ? undefined : sort })} options={DISPUTE_SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))} testId="review-sort" />
      </div>
      <div className="panel">
        {query.isPending && <RowsSkeleton />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && disputes.length === 0 && <EmptyState title={filtered ? t("review.noMatch") : t("review.empty")}>{filtered ? t("tasks.emptyFilter") : t("review.emptyHint")}</EmptyState>}
        {disputes.length > 0 && <ListTable columns={columns.shown} rows={disputes} rowKey={(row) => row.task.id} testId={(row) => `review-row-${row.task.id}`} />}
        <More query={query} />
      </div>
    </div>
  );
}
