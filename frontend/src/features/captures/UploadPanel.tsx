import { Button, Progress } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { FilePicker } from "@/components/FilePicker";
import { bytes } from "@/lib/format";
import { queue, send, type UploadRow } from "./upload";
import styles from "./captures.module.css";

const TONE: Record<UploadRow["state"], string> = { queued: "", sending: "", created: "agree", existing: "", quarantined: "dispute", failed: "error" };

/** Drop or choose photos; every file says what became of it. */
export function UploadPanel({ site, projects }: { site: number; projects: readonly Project[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [rows, setRows] = useState<UploadRow[]>([]);
  const [over, setOver] = useState(false);
  // into the first project unless told otherwise; null stores only
  const [chosen, setProject] = useState<number | null | undefined>(undefined);
  const project = chosen === undefined ? projects[0]?.id : (chosen ?? undefined);
  const [camType, setCamType] = useState("");
  const busy = rows.some((row) => row.state === "sending" || row.state === "queued");
  const failed = rows.filter((row) => row.state === "failed");
  const count = (state: UploadRow["state"]) => rows.filter((row) => row.state === state).length;

  const upload = async (toSend: UploadRow[]) => {
    await send(toSend, { site, project, camType }, (ids, change) => setRows((before) => before.map((row) => (ids.includes(row.id) ? { ...row, ...change } : row))));
    await Promise.all([client.invalidateQueries({ queryKey: ["captures", site] }), client.invalidateQueries({ queryKey: ["quarantine", site] }), client.invalidateQueries({ queryKey: ["projects"] })]);
  };
  const add = (files: readonly File[]) => {
    const added = queue(files);
    setRows((before) => [...added, ...before]);
    void upload(added);
  };
  const retry = () => {
    const again = failed.map((row): UploadRow => ({ ...row, state: "queued" }));
    setRows((before) => before.map((row) => again.find((one) => one.id === row.id) ?? row));
    void upload(again);
  };

  return (
    <section className={styles.upload}>
      <div
        className={styles.drop}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          add([...event.dataTransfer.files]);
        }}
      >
        <span>{t("captures.drop")}</span>
        <FilePicker label={t("captures.choose")} accept="image/*" multiple onPick={add} testId="upload-input" />
        <label>
          {t("captures.toProject")}
          <select value={project ?? ""} data-testid="upload-project" onChange={(event) => setProject(event.target.value ? Number(event.target.value) : null)}>
            <option value="">{t("captures.noProject")}</option>
            {projects.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("captures.cam")}
          <select value={camType} data-testid="upload-cam" onChange={(event) => setCamType(event.target.value)}>
            <option value="">–</option>
            {(["top", "front", "side"] as const).map((cam) => (
              <option key={cam} value={cam}>
                {t(`cam.${cam}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {rows.length > 0 && (
        <div className="panel">
          <div className={styles.uploadHead} aria-live="polite" data-testid="upload-summary">
            {t("captures.uploadSummary", { created: count("created"), existing: count("existing"), quarantined: count("quarantined"), failed: failed.length, of: rows.length })}
            <span className="spacer" />
            {failed.length > 0 && (
              <Button size="compact-xs" variant="default" onClick={retry} data-testid="upload-retry">
                {t("captures.retryFailed", { count: failed.length })}
              </Button>
            )}
            {!busy && (
              <Button size="compact-xs" variant="subtle" onClick={() => setRows([])}>
                {t("common.dismiss")}
              </Button>
            )}
          </div>
          <div className={styles.uploadRows}>
            {rows.map((row) => (
              <div key={row.id} className={styles.uploadRow} data-testid="upload-row" data-state={row.state}>
                <span className={styles.fileName}>{row.file.name}</span>
                <span className="dim">{bytes(row.file.size)}</span>
                {row.state === "sending" ? (
                  <Progress value={row.share * 100} size="sm" aria-label={t("captures.uploadState.sending")} />
                ) : (
                  <span className={`tag ${TONE[row.state]}`}>{t(`captures.uploadState.${row.state}`)}</span>
                )}
                <span className={row.state === "failed" ? "error" : "dispute"}>{row.detail === "network" ? t("errors.network") : row.detail}</span>
              </div>
            ))}
          </div>
        </div>
      )}
    </section>
  );
}
