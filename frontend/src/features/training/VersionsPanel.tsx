import { Button, NumberInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { flatten } from "@/api/paging";
import { EmptyState, ErrorState, More, RowsSkeleton, useProblemText } from "@/components/states";
import { dateTime } from "@/lib/format";
import { Comparison } from "./Comparison";
import { useLive, useModels, usePromote, useRollBack, useTrial, type Live, type Model } from "./models";
import styles from "./training.module.css";

const TRIAL_PERCENT = 10;

function Trial({ site, live, model }: { site: number; live: Live; model: Model }) {
  const { t } = useTranslation();
  const on = live.challenger?.id === model.id;
  const trial = useTrial(site, live);
  const problemText = useProblemText();
  const [percent, setPercent] = useState<number | string>(on ? Math.round(100 * live.challenger_share) : TRIAL_PERCENT);
  const share = typeof percent === "number" ? percent / 100 : 0;
  return (
    <form
      className={styles.inline}
      onSubmit={(event) => {
        event.preventDefault();
        trial.mutate({ version: model.id, share });
      }}
    >
      <NumberInput size="xs" w={76} min={1} max={100} allowDecimal={false} suffix="%" value={percent} onChange={setPercent} aria-label={t("training.share")} data-testid={`trial-share-${model.id}`} />
      <Button type="submit" size="compact-xs" variant="default" disabled={share <= 0 || live.rollout !== null} loading={trial.isPending} title={t("training.trialHint", { percent, name: model.name })} data-testid={`trial-${model.id}`}>
        {t(on ? "training.changeShare" : "training.try")}
      </Button>
      {on && (
        <Button size="compact-xs" variant="default" onClick={() => trial.mutate({ version: model.id, share: 0 })} data-testid="trial-end">
          {t("training.endTrial")}
        </Button>
      )}
      {trial.isError && <span className="error">{problemText(trial.error).detail}</span>}
    </form>
  );
}

function Row({ site, live, model, compared, onCompare }: { site: number; live: Live; model: Model; compared: boolean; onCompare: () => void }) {
  const { t, i18n } = useTranslation();
  const promote = usePromote(site, live);
  const problemText = useProblemText();
  const champion = live.champion?.id === model.id;
  return (
    <tr data-testid={`model-${model.number}`}>
      <td>
        <b>{model.name}</b> {champion && <span className="tag agree">{t("training.champion")}</span>}
        {live.challenger?.id === model.id && <span className="tag dispute">{t("training.challenger", { percent: Math.round(100 * live.challenger_share) })}</span>}
        {model.refusal && <div className="error">{model.refusal}</div>}
      </td>
      <td className="dim">{dateTime(model.created_at, i18n.language)}</td>
      <td>{t(`training.source.${model.source}`)}</td>
      <td>{model.parent ?? <span className="dim">{t("training.base")}</span>}</td>
      <td className="mono dim" title={model.digest}>
        {model.digest.slice(0, 12)}
      </td>
      <td>
        <div className={styles.inline}>
          <Button size="compact-xs" variant={compared ? "filled" : "default"} onClick={onCompare} aria-pressed={compared} data-testid={`compare-${model.number}`}>
            {t("training.compare")}
          </Button>
          {!champion && (
            <>
              <Button size="compact-xs" disabled={live.rollout !== null} loading={promote.isPending} onClick={() => promote.mutate(model.id)} title={t("training.promoteHint", { name: model.name })} data-testid={`promote-${model.number}`}>
                {t("training.promote")}
              </Button>
              <Trial key={`${live.revision}`} site={site} live={live} model={model} />
            </>
          )}
        </div>
        {promote.isError && <div className="error">{problemText(promote.error).detail}</div>}
      </td>
    </tr>
  );
}

function Champion({ site, live }: { site: number; live: Live }) {
  const { t } = useTranslation();
  const back = useRollBack(site, live);
  const problemText = useProblemText();
  const base = t(live.base ? "training.base" : "training.noBase");
  const former = live.previous?.name ?? base;
  return (
    <div className={styles.bar}>
      <span>
        {t("training.live")} <b data-testid="live-model">{live.champion?.name ?? base}</b>
      </span>
      {live.rollout !== null && <span className="dispute">{t("training.rollingOut")}</span>}
      <span className="spacer" />
      {live.steps > 0 && (
        <Button size="xs" color="red" variant="outline" loading={back.isPending} onClick={() => back.mutate()} data-testid="roll-back">
          {t("training.rollBack", { name: former })}
        </Button>
      )}
      {back.isError && <span className="error">{problemText(back.error).detail}</span>}
    </div>
  );
}

/** The versions on a time axis, what is live marked, and two of them side by side. */
export function VersionsPanel({ site }: { site: number }) {
  const { t } = useTranslation();
  const query = useModels(site);
  const live = useLive(site);
  const [picked, setPicked] = useState<number[]>([]);
  const models = flatten(query.data);
  if (query.isPending || live.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (live.isError) return <ErrorState error={live.error} retry={() => void live.refetch()} />;
  const pick = (id: number) => setPicked((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before, id].slice(-2)));
  const [one, other] = [...picked].sort((a, b) => a - b);
  return (
    <>
      <Champion site={site} live={live.data} />
      {models.length === 0 && <EmptyState title={t("training.noVersions")} />}
      {models.length > 0 && (
        <div className="tableWrap">
          <table className="list">
            <thead>
              <tr>
                <th>{t("training.version")}</th>
                <th>{t("training.made")}</th>
                <th>{t("training.origin")}</th>
                <th>{t("training.parent")}</th>
                <th>{t("training.digest")}</th>
                <th>{t("training.actions")}</th>
              </tr>
            </thead>
            <tbody>
              {models.map((model) => (
                <Row key={model.id} site={site} live={live.data} model={model} compared={picked.includes(model.id)} onCompare={() => pick(model.id)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={query} />
      {picked.length === 1 && <p className={styles.hint}>{t("training.compareHint")}</p>}
      {one !== undefined && other !== undefined && <Comparison one={one} other={other} />}
    </>
  );
}
