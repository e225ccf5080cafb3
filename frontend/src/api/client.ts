import createClient from "openapi-fetch";
import { Problem, asProblem } from "./problem";
import type { paths } from "./schema";

export function csrfToken(): string {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** Headers every call carries: the CSRF token where something changes, and the language errors are written in. */
export function commonHeaders(method: string): Record<string, string> {
  const headers: Record<string, string> = { "Accept-Language": document.documentElement.lang || "zh-Hans" };
  if (!["GET", "HEAD"].includes(method)) headers["X-CSRFToken"] = csrfToken();
  return headers;
}

export const api = createClient<paths>({ credentials: "same-origin" });

api.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(commonHeaders(request.method))) request.headers.set(name, value);
    return request;
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a call, or a thrown `Problem`. */
export async function call<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (error) {
    throw asProblem(error);
  }
  if (!answer.response.ok) {
    const body = typeof answer.error === "object" && answer.error !== null ? (answer.error as Record<string, unknown>) : {};
    const problem = new Problem(answer.response.status, body);
    listeners.forEach((listener) => listener(problem));
    throw problem;
  }
  return answer.data as T;
}

type Listener = (problem: Problem) => void;
const listeners = new Set<Listener>();

/** Lets the application notice, for instance, that the session has ended. */
export function onProblem(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
