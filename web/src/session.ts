/** The server's side of a call: what it put into the page, and the session requests. */

import type { Standing } from "./line";
import { endReasonNamed } from "./state";

export interface Session {
  id: string;
  token: string;
  expires_at: string;
}

export interface Problem {
  title: string;
  detail: string;
  /** HTTP status, 0 where the server gave none. */
  status: number;
  retryAfterSecs: number | null;
}

export interface PageData {
  /** The business that Jarvis answers for; empty where the server named none. */
  name: string;
  session: Session | null;
  problem: Problem | null;
}

export interface CreatedCall extends Session {
  call_link: string;
}

/** A place in the waiting line. */
export interface Place {
  ticket: string;
  /** Counted from 1. */
  position: number;
  retryAfterSecs: number;
}

const CREATE_TIMEOUT_MS = 15_000;
const STANDING_TIMEOUT_MS = 1_000;

export class CallRefused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

export function problem(title: string, detail: string, status = 0): Problem {
  return { title, detail, status, retryAfterSecs: null };
}

/** Reads the JSON block that the server wrote into the page. */
export function readPageData(text: string): PageData {
  const data = JSON.parse(text) as Partial<PageData>;
  return {
    name: data.name ?? "",
    session: data.session ?? null,
    problem: data.problem ? problem(data.problem.title, data.problem.detail, 410) : null,
  };
}

/** What went wrong, from a problem+json answer or, where the body is something else, from the status alone. */
export async function problemFromResponse(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as { title?: unknown; detail?: unknown };
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const fallback = fallbackProblem(response.status);
  return {
    title: typeof body.title === "string" && body.title ? body.title : fallback.title,
    detail: typeof body.detail === "string" ? body.detail : fallback.detail,
    status: response.status,
    retryAfterSecs: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
  };
}

/** What the caller can do next about a problem, as one sentence. */
export function adviceFor({ status, retryAfterSecs }: Problem): string {
  if (status === 409) return "Go on in the tab or on the device that answered, or start a new call here.";
  if (status === 401) return "If you have none, ask the people who run this page for one.";
  if (status === 429 || status === 503) return `Please try again ${whenToRetry(retryAfterSecs)}.`;
  if (status === 0) return "Check that this device is online, then start a new call.";
  if (status >= 500) return "Please start a new call. If it keeps happening, tell the people who run this page.";
  return "Please start a new call.";
}

/**
 * Asks for a call, or for a place in line where there is none; a ticket from before keeps its place.
 *
 * Raises CallRefused.
 */
export async function requestCall(ticket: string | null): Promise<CreatedCall | Place> {
  let response: Response;
  try {
    response = await fetch("/api/ingress/session/create", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ wait: true, ...(ticket !== null && { ticket }) }),
      signal: AbortSignal.timeout(CREATE_TIMEOUT_MS),
    });
  } catch {
    throw new CallRefused(unreachable());
  }
  return callFromResponse(response);
}

export async function callFromResponse(response: Response): Promise<CreatedCall | Place> {
  if (!response.ok) throw new CallRefused(await problemFromResponse(response));
  if (response.status !== 202) return (await response.json()) as CreatedCall;
  const place = (await response.json()) as { ticket: string; position: number; retry_after_secs: number };
  return { ticket: place.ticket, position: place.position, retryAfterSecs: place.retry_after_secs };
}

/** How the call stands; null where the server gives no answer just now. */
export async function readStanding(session: Session): Promise<Standing | null> {
  try {
    const response = await fetch(sessionUrl(session), {
      headers: authorization(session),
      signal: AbortSignal.timeout(STANDING_TIMEOUT_MS),
    });
    return await standingFromResponse(response);
  } catch {
    return null;
  }
}

export async function standingFromResponse(response: Response): Promise<Standing | null> {
  if (!response.ok) {
    // A call that the server does not know can't be come back to.
    const gone = response.status < 500 && response.status !== 429;
    return gone ? { state: "ended", reason: "lost" } : null;
  }
  const { state, end_reason } = (await response.json()) as { state: string; end_reason: string | null };
  if (state === "ended") return { state, reason: endReasonNamed(end_reason) };
  return { state: state === "reconnecting" ? state : "connected" };
}

/** Tells the server that the caller has gone. Outlives the page; the server's own timeouts cover its failure. */
export function endSession(session: Session): void {
  fetch(sessionUrl(session), { method: "DELETE", headers: authorization(session), keepalive: true }).catch(() => {});
}

export function offerUrl(session: Session): string {
  return `${sessionUrl(session)}/offer`;
}

export function authorization({ token }: Session): Headers {
  return new Headers({ Authorization: `Bearer ${token}` });
}

export function unreachable(): Problem {
  return problem("Jarvis can’t be reached", "The server did not answer.");
}

function sessionUrl({ id }: Session): string {
  return `/api/ingress/session/${encodeURIComponent(id)}`;
}

function whenToRetry(secs: number | null): string {
  if (secs === null) return "in a moment";
  return secs < 90 ? `in ${secs} seconds` : `in ${Math.ceil(secs / 60)} minutes`;
}

function fallbackProblem(status: number): Problem {
  if (status === 429 || status === 503) return problem("All lines are busy", "Every line is in use right now.", status);
  if (status === 409) return problem("This call was already answered", "It is open somewhere else.", status);
  if (status < 500) return problem("This call link no longer works", "It has expired or was used before.", status);
  return problem("The call could not be made", "Something went wrong on the server.", status);
}
