import { SmallWebRTCTransport } from "@pipecat-ai/small-webrtc-transport";
import { expect, test } from "vitest";
import { MicrophoneManager } from "../src/microphone";

test("the transport still has the fields that it keeps to itself and the page reads", () => {
  const transport = new SmallWebRTCTransport({ mediaManager: new MicrophoneManager(null, true) as never });
  expect(transport).toMatchObject({ pc: null, pc_id: null, _lastNegotiationError: null });
});
