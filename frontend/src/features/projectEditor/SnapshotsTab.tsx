import { Button, NumberInput, Progress } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import type { Project, Snapshot } from "@/api/types";
import { Choose } from "@/components/Choose";
import { EmptyState, ErrorState, More, RowsSkeleton, useProblemText } from "@/components/states";
import { useCancelJob } from "@/features/jobs/job";
import { dateTime, integer } from "@/lib/format";
import { SnapshotDiff } from "./SnapshotDiff";
import { isBeingMade, useCreateSnapshot, useSnapshots, WEIGHTINGS } from "./snapshots";
import styles from "./editor.module.css";

const SHORT_HASH = 12;

function NewSnapshot({ project }: { project: Project }) {
  const { t } = useTranslation();
  const create = useCreateSnapshot(project.id);
  const problemText = useProblemText();
  const [seed, setSeed] = useState(1);
  const [weighting, setWeighting] = useState<Snapshot["weighting"]>("even");
  return (
    <form
      className={styles.bar}
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ seed, weighting });
      }}
    >
      <NumberInput size="xs" w={100} label={t("snapshots.seed")} value={seed} min={0} max={2_000_000_000} allowDecimal={false} onChange={(value) => setSeed(Number(value) || 0)} data-testid="snapshot-seed" />
      <Choose label={t("snapshots.weighting")} value={weighting} onChange={(value) => value && setWeighting(value)} options={WEIGHTINGS.map((value) => ({ value, label: t(`snapshots.weightings.${value}`) }))} testId="snapshot-weighting" />
      <Button type="submit" size="xs" loading={create.isPending} data-testid="snapshot-create">
        {t("snapshots.make")}
      </Button>
      {create.isError && <span className="error">{problemText(create.error).detail}</span>}
    </form>
  );
}

function State({ snapshot }: { snapshot: Snapshot }) {
  const { t } = useTranslation();
  const cancel = useCancelJob();
  if (!isBeingMade(snapshot))
    return (
      <>
        <span className={snapshot.state === "done" ? "tag agree" : "tag dispute"}>{t(`jobs.state.${snapshot.state}`)}</span>
        {snapshot.error && <div className="error">{snapshot.error.detail}</div>}
      </>
    );
  return (
    <div className={styles.actions}>
      <Progress w={120} size="xs" radius={0} value={snapshot.total ? (100 * snapshot.done) / snapshot.total : 100} animated={snapshot.total === null} aria-label={t(`jobs.state.${snapshot.state}`)} />
      {snapshot.job !== null && (
        <Button size="compact-xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate(snapshot.job ?? 0)} data-testid={`snapshot-cancel-${snapshot.id}`}>
          {t("jobs.cancel")}
        </Button>
      )}
    </div>
  );
}

/** Frozen data sets of the project: made, listed, two of them compared. */
export function SnapshotsTab({ project }: { project: Project }) {
  const { t, i18n } = useTranslation();
  const query = useSnapshots(project.id);
  const [chosen, setChosen] = useState<number[]>([]);
  const snapshots = flatten(query.data);
  const number = (value: number | undefined) => integer(value ?? 0, i18n.language);
  const toggle = (id: number) => setChosen((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now, id].slice(-2)));
  const [before, after] = snapshots.filter((one) => chosen.includes(one.id)).sort((a, b) => a.id - b.id);
  return (
    <>
      <div className="panel">
        <NewSnapshot project={project} />
        {query.isPending && <RowsSkeleton rows={3} />}
        {query.isError && <ErrorState error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && snapshots.length === 0 && <EmptyState title={t("snapshots.none")}>{t("snapshots.noneHint")}</EmptyState>}
        {snapshots.length > 0 && (
          <div className="tableWrap">
            <table className="list">
              <thead>
                <tr>
                  <th>{t("snapshots.compare")}</th>
                  <th>{t("snapshots.made")}</th>
                  <th>{t("snapshots.state")}</th>
                  <th className="num">{t("snapshots.splits.train")}</th>
                  <th className="num">{t("snapshots.splits.val")}</th>
                  <th className="num">{t("snapshots.splits.test")}</th>
                  <th>{t("snapshots.weighting")}</th>
                  <th>{t("snapshots.seed")}</th>
                  <th>{t("snapshots.hash")}</th>
                </tr>
              </thead>
              <tbody>
                {snapshots.map((one) => (
                  <tr key={one.id} data-testid={`snapshot-${one.id}`}>
                    <td>
                      <label>
                        <input type="checkbox" checked={chosen.includes(one.id)} disabled={one.state !== "done"} onChange={() => toggle(one.id)} data-testid={`snapshot-compare-${one.id}`} /> #{one.id}
                      </label>
                    </td>
                    <td>
                      {dateTime(one.made_at ?? one.created_at, i18n.language)} <span className="dim">{one.created_by ?? t("admin.system")}</span>
                    </td>
                    <td>
                      <State snapshot={one} />
                    </td>
                    <td className="num">{number(one.counts.records_train)}</td>
                    <td className="num">{number(one.counts.records_val)}</td>
                    <td className="num">{number(one.counts.records_test)}</td>
                    <td>{t(`snapshots.weightings.${one.weighting}`)}</td>
                    <td className="num">{one.seed}</td>
                    <td className="mono" title={one.sha256}>
                      {one.sha256.slice(0, SHORT_HASH)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <More query={query} />
      </div>
      {before && after ? <SnapshotDiff key={`${before.id}-${after.id}`} before={before} after={after} /> : snapshots.length > 1 && <p className="dim">{t("snapshots.chooseTwo")}</p>}
    </>
  );
}
