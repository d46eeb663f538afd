// The real SDK fetches code from a CDN when a call object is made. Jarvis makes none: src/microphone.ts is the device manager.
export default {};
