import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Project } from "@/api/types";
import { FilePicker } from "@/components/FilePicker";
import { useBatches } from "@/features/projects/batches";
import { droppedFiles, pickedFiles } from "./dropped";
import { IntakeJob } from "./IntakeJob";
import { SourceButtons } from "./SourceButtons";
import type { Destination, Picked } from "./upload";
import { UploadList } from "./UploadList";
import { useUploads } from "./useUploads";
import styles from "./captures.module.css";

const ACCEPT = "image/*,.zip,application/zip";

/** Drop or choose photos, folders, zips, or name another source; every file says what became of it. */
export function UploadPanel({ site, projects }: { site: number; projects: readonly Project[] }) {
  const { t } = useTranslation();
  const [queue, status] = useUploads(site);
  const [over, setOver] = useState(false);
  const [jobs, setJobs] = useState<number[]>([]);
  // into the first project unless told otherwise; null stores only
  const [chosen, setProject] = useState<number | null | undefined>(undefined);
  const project = chosen === undefined ? projects[0]?.id : (chosen ?? undefined);
  const batches = useBatches(project).data?.filter((one) => one.state !== "closed") ?? [];
  const [wantedBatch, setBatch] = useState<number | undefined>();
  // another project has other batches
  const batch = batches.find((one) => one.id === wantedBatch)?.id;
  const [camType, setCamType] = useState("");
  const to: Destination = { site, project, batch, camType: camType || undefined };
  const add = (picked: readonly Picked[]) => queue.add(picked, to);

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
          void droppedFiles(event.dataTransfer).then(add);
        }}
      >
        <span>{t("captures.drop")}</span>
        <FilePicker label={t("captures.choose")} accept={ACCEPT} multiple onPick={(files) => add(pickedFiles(files))} testId="upload-input" />
        <FilePicker label={t("captures.chooseFolder")} accept="" folder onPick={(files) => add(pickedFiles(files))} testId="upload-folder" />
        <SourceButtons to={to} onJob={(job) => setJobs((before) => [...before, job])} />
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
        {batches.length > 0 && (
          <label>
            {t("captures.toBatch")}
            <select value={batch ?? ""} data-testid="upload-batch" onChange={(event) => setBatch(event.target.value ? Number(event.target.value) : undefined)}>
              <option value="">{t("captures.noBatch")}</option>
              {batches.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          </label>
        )}
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
      {[...status.jobs, ...jobs].map((job) => (
        <IntakeJob key={job} id={job} site={site} />
      ))}
      {jobs.length > 0 && status.rows.length === 0 && (
        <Button size="compact-xs" variant="subtle" onClick={() => setJobs([])}>
          {t("common.dismiss")}
        </Button>
      )}
      {status.rows.length > 0 && <UploadList queue={queue} status={status} />}
    </section>
  );
}
