export interface FieldError {
  field: string;
  code: string;
  message: string;
  params?: Record<string, unknown>;
}

interface ProblemBody {
  title: string;
  detail: string;
  code: string;
  hint: string;
  errors: FieldError[];
}

/** An RFC 9457 answer, or the absence of one (`status` 0: the network is gone). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string | undefined;
  readonly errors: FieldError[];
  readonly extras: Record<string, unknown>;

  constructor(status: number, body: Partial<ProblemBody> & Record<string, unknown>) {
    const detail = body.detail ?? body.title ?? "";
    super(detail || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? (status === 0 ? "network" : "unknown");
    this.detail = detail;
    this.hint = typeof body.hint === "string" ? body.hint : undefined;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.extras = body;
  }

  /** Worth sending again unchanged: nobody answered, or the server was overloaded or restarting. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) return new Problem(0, { code: "network" });
  return new Problem(0, { code: "unknown", detail: error instanceof Error ? error.message : "" });
}
