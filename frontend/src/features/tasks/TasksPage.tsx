import { Link } from "@tanstack/react-router";
import { Suspense, lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { useBatches } from "@/features/projects/batches";
import { countsOf } from "@/features/projects/counts";
import type { Project, TaskRow, TaskState } from "@/api/types";
import { Chips } from "@/components/Chips";
import type { Column } from "@/components/list/columns";
import { ListTable, Nothing, Thumb } from "@/components/list/ListTable";
import { SearchInput } from "@/components/SearchInput";
import { EmptyState, ErrorState, More, RowsSkeleton } from "@/components/states";
import { StateTag, UrgentTag } from "@/components/stateTag";
import { dateTime, integer } from "@/lib/format";
import { Choose } from "@/components/Choose";
import { ColumnsMenu } from "@/features/views/ColumnsMenu";
import { useColumns } from "@/features/views/useColumns";
import { ViewsMenu } from "@/features/views/ViewsMenu";
import { BulkBar } from "./BulkBar";
import { isTicked, NOTHING, sizeOf, toggled, type Selection } from "./selection";
import { TASK_SORTS, TASK_SOURCES, useTasks, type TaskFilter } from "./tasks";

export const TASK_STATES: readonly TaskState[] = ["new", "ready", "labeling", "disputed", "decided", "rejected"];

interface Props {
  project: Project;
  /** other projects of the site, where tasks may be moved; empty for who may not */
  others: readonly Project[];
  mayBulk: boolean;
  filter: TaskFilter;
  cols: string | undefined;
  onFilter: (search: TaskFilter & { cols?: string }) => void;
}

const GoldImport = lazy(async () => ({ default: (await import("./GoldImport")).GoldImport }));

export function TasksPage({ project, others, mayBulk, filter, cols, onFilter }: Props) {
  const { t, i18n } = useTranslation();
  const counts = countsOf(project);
  const batches = useBatches(project.id).data ?? [];
  const batchName = (id: number) => batches.find((one) => one.id === id)?.name ?? `#${id}`;
  const query = useTasks(project.id, filter);
  const tasks = flatten(query.data);
  const inSight = tasks.map((task) => task.id);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const narrow = (change: TaskFilter) => {
    setSelection(NOTHING);
    onFilter({ ...filter, ...change, cols });
  };
  const pageTicked = inSight.length > 0 && inSight.every((id) => isTicked(selection, id));
  const filtered = Object.values({ ...filter, sort: undefined }).some((value) => value !== undefined);
  const columns = useColumns<TaskRow>(
    "tasks",
    [
      { key: "photo", label: t("review.photo"), cell: (task) => <Thumb src={task.thumb} /> },
      {
        key: "task",
        label: t("review.task"),
        fixed: true,
        cell: (task) => (
          <>
            <Link to="/p/$projectId/tasks/$taskId" params={{ projectId: project.id, taskId: task.id }}>
              #{task.id}
            </Link>{" "}
            {task.priority === "urgent" && <UrgentTag />}
          </>
        ),
      },
      { key: "state", label: t("tasks.state"), cell: (task) => <StateTag state={task.state} /> },
      { key: "caption", label: t("tasks.caption"), cell: (task) => task.caption ?? <Nothing /> },
      { key: "source", label: t("tasks.source"), cell: (task) => (task.source ? t(`source.${task.source}`) : <Nothing />) },
      ...(batches.length > 0 ? [{ key: "batch", label: t("tasks.batch"), cell: (task: TaskRow) => (task.batch === null ? <Nothing /> : batchName(task.batch)) }] : []),
      { key: "annotations", label: t("tasks.annotations"), num: true, cell: (task) => `${task.annotation_count ?? "–"} / ${project.overlap}` },
      { key: "created", label: t("columns.created"), num: true, off: true, cell: (task) => <span className="dim">{dateTime(task.created_at, i18n.language)}</span> },
      { key: "decided", label: t("tasks.decidedAt"), num: true, cell: (task) => <span className="dim">{dateTime(task.decided_at, i18n.language)}</span> },
    ] satisfies Column<TaskRow>[],
    cols,
  );
  return (
    <div className="page">
      <div className="pageHead">
        <h1>{t("tasks.title")}</h1>
        <span className="dim">{t("tasks.total", { count: counts.total, shown: integer(counts.total, i18n.language) })}</span>
        <span className="spacer" />
        <SearchInput value={filter.search ?? ""} onSearch={(search) => narrow({ search: search || undefined })} label={t("tasks.search")} testId="tasks-search" />
        <ViewsMenu site={project.site.id} page="tasks" query={{ ...filter, cols }} columns={columns.shown} onChoose={(chosen) => onFilter(chosen)} />
        <ColumnsMenu columns={columns} onChosen={() => onFilter({ ...filter, cols: undefined })} />
      </div>
      <div className="pageHead">
        <Chips<TaskState>
          label={t("tasks.state")}
          value={filter.state}
          onChange={(state) => narrow({ state })}
          options={[
            { value: undefined, label: t("common.all"), count: counts.total },
            ...TASK_STATES.map((state) => ({ value: state, label: t(`taskState.${state}`), count: state === "gold" ? undefined : counts[state], testId: `tasks-state-${state}` })),
          ]}
        />
        <Chips
          label={t("tasks.onlyUrgent")}
          value={filter.priority}
          onChange={(priority) => narrow({ priority: filter.priority ? undefined : priority })}
          options={[{ value: "urgent" as const, label: t("tasks.onlyUrgent"), testId: "tasks-urgent" }]}
        />
        <span className="spacer" />
        {batches.length > 0 && (
          <Choose
            label={t("tasks.batch")}
            none={t("tasks.anyBatch")}
            value={filter.batch === undefined ? undefined : String(filter.batch)}
            onChange={(batch) => narrow({ batch: batch === undefined ? undefined : Number(batch) })}
            options={batches.map(({ id, name }) => ({ value: String(id), label: name }))}
            testId="tasks-batch"
          />
        )}
        <Choose label={t("tasks.source")} none={t("tasks.source")} value={filter.source} onChange={(source) => narrow({ source })} options={TASK_SOURCES.map((value) => ({ value, label: t(`source.${value}`) }))} testId="tasks-source" />
        <Choose label={t("sort.label")} value={filter.sort ?? "newest"} onChange={(sort) => onFilter({ ...filter, cols, sort: sort === "newest" ? undefined : sort })} options={TASK_SORTS.map((value) => ({ value, label: t(`sort.${value}`) }))} testId="tasks-sort" />
      </div>
      {mayBulk && filter.state === "decided" && (
        <Suspense>
          <GoldImport projectId={project.id} />
        </Suspense>
      )}
      <div className="panel">
        {sizeOf(selection) > 0 && <BulkBar project={project} others={others} batches={batches} filter={filter} selection={selection} onSelect={(next) => setSelection(next ?? NOTHING)} />}
        {query.isPending && <RowsSkeleton />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && tasks.length === 0 && <EmptyState title={t("tasks.empty")}>{filtered ? t("tasks.emptyFilter") : t("tasks.emptyHint")}</EmptyState>}
        {tasks.length > 0 && (
          <ListTable
            columns={columns.shown}
            rows={tasks}
            rowKey={(task) => task.id}
            testId={(task) => `task-row-${task.id}`}
            lead={
              mayBulk
                ? {
                    head: <input type="checkbox" aria-label={t("bulk.page")} checked={pageTicked} data-testid="tick-page" onChange={(event) => setSelection(toggled(selection, inSight, event.target.checked, inSight))} />,
                    cell: (task) => <input type="checkbox" aria-label={t("bulk.row", { id: task.id })} checked={isTicked(selection, task.id)} data-testid={`tick-${task.id}`} onChange={(event) => setSelection(toggled(selection, [task.id], event.target.checked, inSight))} />,
                  }
                : undefined
            }
          />
        )}
        <More query={query} />
      </div>
    </div>
  );
}
