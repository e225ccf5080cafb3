import { infiniteQueryOptions, queryOptions, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { nextCursor, type Page } from "@/api/paging";
import type { components } from "@/api/schema";
import { usePulseNow } from "@/features/jobs/pulse";

type Schemas = components["schemas"];
export type Answer = Schemas["StoredAnswer"];
export type AnswerDetail = Schemas["StoredAnswerDetail"];

const root = "/api/v1/sites/{site_id}/answers";
const one = (site: number, answer: number) => ({ params: { path: { site_id: site, answer_id: answer } } });

export const answersQuery = (site: number) =>
  infiniteQueryOptions({
    queryKey: ["answers", site],
    queryFn: ({ pageParam }) => call(api.GET(root, { params: { path: { site_id: site }, query: { cursor: pageParam || undefined } } })) as Promise<Page<Answer>>,
    initialPageParam: "",
    getNextPageParam: nextCursor,
  });

/** The machine API's answers that the site kept, newest first. */
export const useAnswers = (site: number) => useInfiniteQuery(answersQuery(site));

export const answerQuery = (site: number, answer: number) => queryOptions({ queryKey: ["answers", site, answer], queryFn: () => call(api.GET(`${root}/{answer_id}`, one(site, answer))), staleTime: Infinity });

export const useAnswer = (site: number, answer: number) => useQuery(answerQuery(site, answer));

/** Starts the job that makes an answer again; answers its number. */
export function useReplay(site: number, answer: number) {
  const pulseNow = usePulseNow();
  return useMutation({ mutationFn: async () => (await call(api.POST(`${root}/{answer_id}/replay`, one(site, answer)))).job, onSuccess: pulseNow });
}

interface Said {
  model_version: string;
  site_number: number;
  learned_number: number;
  fields: Record<string, { value: string | null; confidence: number | null }>;
}

/** The result of that job. */
export interface Replayed {
  exact: boolean;
  differences: string[];
  stored: Said;
  again: Said;
  against: { asked: string; said: Said | null; error: string };
}
