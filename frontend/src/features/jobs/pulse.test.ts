import { expect, it } from "vitest";
import type { Project, Pulse } from "@/api/types";
import { renew } from "./pulse";

const project = { id: 1, name: "a", counts: null, my: { roles: ["annotator"], guide_unread: true, today: 0, mean_active_seconds: null, open: 9 } } as unknown as Project;
const pulse: Pulse = { projects: [{ id: 1, counts: null, my: { today: 1, mean_active_seconds: 20, open: 8 } }], jobs: [], trainings: [], models: {}, unread_feedback: 0 };

it("lays new figures over a project and leaves what it does not speak of", () => {
  expect(renew(project, pulse)).toEqual({ ...project, my: { roles: ["annotator"], guide_unread: true, today: 1, mean_active_seconds: 20, open: 8 } });
  expect(renew({ ...project, id: 2 }, pulse)).toEqual({ ...project, id: 2 });
});
