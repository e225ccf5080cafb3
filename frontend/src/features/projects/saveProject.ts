import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import type { Project, SchemaField } from "@/api/types";
import type { ServerLanguage } from "@/lib/i18n";
import { projectQuery } from "./project";
import { projectsQuery } from "./projects";

export interface ProjectSettings {
  name?: string;
  slug?: string;
  overlap?: number;
  threshold?: number;
  boxes_required?: boolean;
  withhold_rate?: number;
  withhold_mode?: Project["withhold_mode"];
  withhold_delay_s?: number;
  lease_seconds?: number;
  share?: number;
  random_share?: number;
  language?: ServerLanguage;
  label_duplicates_once?: boolean;
  lookalikes?: boolean;
  guide?: string;
  archived?: boolean;
  quality?: NonNullable<Project["quality"]>;
  schema?: { fields: SchemaField[] };
  /** keys of the present schema and what the same fields are called in the new one */
  renames?: Record<string, string>;
  /** the version that was edited: a change by somebody else meanwhile is refused */
  version?: number;
}

export function useSaveProject(id: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (settings: ProjectSettings) => call(api.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: id } }, body: { ...settings, schema: settings.schema && { ...settings.schema } } })) as Promise<Project>,
    onSuccess: async (project) => {
      client.setQueryData(projectQuery(id).queryKey, project);
      await client.invalidateQueries({ queryKey: projectsQuery.queryKey });
    },
  });
}
