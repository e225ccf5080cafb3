import type { ReactNode } from "react";
import type { Project } from "@/api/types";
import { ErrorState, RowsSkeleton } from "@/components/states";
import { useProject } from "./project";

/** Shows a page once its project is there. */
export function WithProject({ id, children }: { id: number; children: (project: Project) => ReactNode }) {
  const query = useProject(id);
  if (query.isPending) return <RowsSkeleton />;
  if (query.isError) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return children(query.data);
}
