import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { JobProgress } from "@/features/jobs/JobProgress";
import { useJob } from "@/features/jobs/job";
import { isOpen } from "@/features/jobs/pulse";

/** A job that takes photos in: how far it is; the page's lists follow it. */
export function IntakeJob({ id, site }: { id: number; site: number }) {
  const client = useQueryClient();
  const { data: job } = useJob(id);
  const ended = job !== undefined && !isOpen(job);
  useEffect(() => {
    if (!ended) return;
    for (const queryKey of [["captures", site], ["quarantine", site], ["groups", site], ["projects"]]) void client.invalidateQueries({ queryKey });
  }, [ended, client, site]);
  return job ? (
    <div className="panel">
      <JobProgress job={job} />
    </div>
  ) : null;
}
