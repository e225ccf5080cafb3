import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { asProblem } from "@/api/problem";
import type { FieldError, SchemaField, SchemaPlan } from "@/api/types";

export interface Planned {
  plan: SchemaPlan | null;
  errors: readonly FieldError[];
}

/** Asks the server what a schema would change, and what is wrong with it. */
export const usePlan = (project: number, version: number, schema: { fields: SchemaField[] }, renames: Record<string, string>) =>
  useQuery({
    queryKey: ["schemaPlan", project, version, schema, renames],
    queryFn: async (): Promise<Planned> => {
      try {
        const body = { schema: { ...schema }, renames };
        return { plan: await call(api.POST("/api/v1/projects/{project_id}/schema/plan", { params: { path: { project_id: project } }, body })), errors: [] };
      } catch (error) {
        const problem = asProblem(error);
        if (problem.status === 400) return { plan: null, errors: problem.errors };
        throw problem;
      }
    },
    placeholderData: keepPreviousData,
    gcTime: 60_000,
  });
