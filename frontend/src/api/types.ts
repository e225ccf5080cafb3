/**
 * Short names for the generated types. Where the OpenAPI document only says "object" (caption values, the field
 * kinds), the caption language's own types stand in; `as` at the query that fetches them is the only cast.
 */
import type { Field, Value } from "@/lib/captions";
import type { components } from "./schema";

type Schemas = components["schemas"];
type With<T, Change> = Omit<T, keyof Change> & Change;

export type { FieldError } from "./problem";

/** A caption value: a text, or `{unknown: reason}`. */
export type FieldValue = Value;
export type FieldValues = Record<string, FieldValue>;
export type Attributes = Schemas["Attributes"];
export type PackageType = Schemas["PackageTypeEnum"];
interface Answered {
  fields: FieldValues;
  boxes: Box[];
  attributes: Attributes;
}

export type AnnotationReceipt = Schemas["SubmittedAnnotation"];
export type AnswerVersion = { fields: FieldValues; caption: string; boxes: Box[] };
export type Author = Schemas["Author"];
export type Answer = With<Schemas["Side"], Answered>;
export type ApiToken = Schemas["Token"];
export type Assignment = With<Schemas["Assignment"], { draft: Draft | null }>;
export type AuditEntry = Schemas["Audit"];
export type Batch = Schemas["Batch"];
export type Box = Schemas["Box"];
export type Candidate = Schemas["Candidate"];
export type Capture = Schemas["Capture"];
export type CaptureDetail = Schemas["CaptureDetail"];
export type CaptureRow = Schemas["SuggestedCapture"];
export type Category = Schemas["Category"];
export type Counts = Schemas["Counts"];
export type Decision = With<Schemas["Decision"], Answered>;
export type Dispute = Schemas["DisputeRow"];
export type DisputeDetail = With<Schemas["Dispute"], { answers: Answer[]; previous_decision: Decision | null }>;
export type DisputeSummary = Schemas["DisputeSummary"];
export type DisputeReason = Schemas["Reason"];
export type Draft = Answered & { active_seconds: number; schema_version?: number; flag?: Flag; note?: string };
/** Who is to look at an answered photo again. */
export type Flag = "" | "reviewer" | "self";
export type Feedback = Schemas["FeedbackRow"];
export type FeedbackDetail = With<Schemas["FeedbackDetail"], { mine: AnswerVersion; decision: AnswerVersion | null; schema: { fields: SchemaField[] } }>;
export type HeatMap = Schemas["HeatMap"];
export type ImportReport = Schemas["ImportReport"];
export type Job = With<Schemas["Job"], { counts: Record<string, number> }>;
export type Limits = Schemas["Limits"];
export type Lookalikes = With<Schemas["Grid"], { assignments: Assignment[] }>;
export type Member = Schemas["Member"];
export type Metric = Schemas["Metric"];
export type Neighbour = Schemas["Neighbour"];
export type OwnAnswer = With<Schemas["OwnAnswer"], Answered>;
export type Project = With<Schemas["Project"], { schema: { fields: SchemaField[] } }>;
export type Training = Schemas["Run"];
export type Pulse = With<Schemas["Pulse"], { jobs: Job[]; projects: (Pick<Project, "id" | "counts"> & { my: Schemas["Progress"] })[] }>;
export type Quality = Schemas["Quality"];
export type Quarantined = Schemas["Quarantine"];
export type RecentAnnotation = Schemas["Recent"];
export type Role = Schemas["RolesEnum"];
export type SavedView = Schemas["SavedView"];
export type SchemaField = Field;
export type SchemaPlan = Schemas["SchemaPlan"];
export type Session = Schemas["Session"];
export type Sku = Schemas["Sku"];
export type Snapshot = With<Schemas["Snapshot"], { counts: Record<string, number> }>;
export type SnapshotDifference = With<Schemas["Difference"], { counts: Record<string, number> }>;
export type SkuHit = Schemas["Completion"];
export type Suggestion = Schemas["Suggestion"];
export type Task = Schemas["Task"];
export type TaskDetail = With<Schemas["TaskDetail"], { answers: Answer[]; decision: Decision | null; schemas: Record<string, { fields: SchemaField[] }> }>;
export type TaskRow = Schemas["TaskRow"];
export type TaskState = Schemas["TaskState"];
export type TrivialDispute = With<Schemas["TrivialRow"], { fields: FieldValues; answers: { label: string; fields: FieldValues }[] }>;
export type UploadResult = Schemas["Taken"];
export type User = Schemas["User"];
