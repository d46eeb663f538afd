/** What the page says, where it is more than a label. */

import type { MicrophoneProblem } from "./microphone";
import type { Ending, Status } from "./state";

export interface Advice {
  title: string;
  detail: string;
}

export const statusWords: Record<Status, string> = {
  ready: "Ready to call",
  asking: "Waiting for your microphone",
  connecting: "Calling",
  reconnecting: "Connection lost, reconnecting",
  "you-speaking": "You are speaking",
  speaking: "Jarvis is speaking",
  thinking: "Jarvis is looking it up",
  muted: "Your microphone is muted",
  listening: "Jarvis is listening",
  ended: "Call ended",
  failed: "Call failed",
};

export const microphoneAdvice: Record<MicrophoneProblem, Advice> = {
  denied: {
    title: "The microphone is blocked for this page",
    detail: "Allow it in the browser’s site settings, usually behind the icon beside the address, and try again.",
  },
  absent: {
    title: "No microphone was found",
    detail: "Plug one in or switch one on and try again.",
  },
  busy: {
    title: "The microphone could not be opened",
    detail: "Another program may be using it. Close that program and try again.",
  },
  insecure: {
    title: "The browser gives no microphone to this address",
    detail: "It asks for a secure connection: open this page by an address that begins with https.",
  },
  unsupported: {
    title: "This browser can’t use a microphone here",
    detail: "Open the link in a current version of Chrome, Edge, Firefox or Safari.",
  },
  lost: {
    title: "The microphone was disconnected",
    detail: "The call goes on: you still hear Jarvis and can type.",
  },
};

/** Why the call is over, in the server's words where it gave any. */
export function endingWords({ reason, text }: Ending): Advice {
  const { title, detail } = endings[reason];
  return { title, detail: text || detail };
}

const lost: Advice = { title: "The connection was lost", detail: "The line broke and could not be restored." };

const endings: Record<Ending["reason"], Advice> = {
  hang_up: { title: "Call ended", detail: "" },
  goodbye: { title: "Call ended", detail: "You said goodbye." },
  idle: { title: "Call ended", detail: "Nothing was said for a while." },
  max_duration: { title: "Call ended", detail: "It reached the longest time that a call may last." },
  closed: { title: "Call ended", detail: "Nobody answers at this time. Please call again later." },
  never_connected: { title: "The call was not connected", detail: "Its sound did not get through in time." },
  operator: { title: "Call ended", detail: "The people who run Jarvis have ended it." },
  shutdown: { title: "Call ended", detail: "Jarvis is being restarted. Please call again in a moment." },
  bot_died: { title: "Jarvis was lost and could not come back", detail: "Please call again." },
  caller_lost: lost,
  error: { title: "The call broke off", detail: "Something went wrong on Jarvis’s side." },
  lost,
};

/** Where the caller stands in line, counted from 1. */
export function placeWords(position: number): string {
  return position <= 1 ? "You are next." : `You are number ${position} in line.`;
}

/** A span of time as a call timer shows it: 4:07, 1:02:30. */
export function clock(ms: number): string {
  const secs = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(secs / 3600), Math.floor(secs / 60) % 60];
  const padded = (value: number) => String(value).padStart(2, "0");
  return hours ? `${hours}:${padded(minutes)}:${padded(secs % 60)}` : `${minutes}:${padded(secs % 60)}`;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
