// The camera: frames are read here and go nowhere.
import { codesOn, reader } from "./qr_reader.js";

const PAUSE = 80; // ms between two frames, so that an old phone can still draw the page

export class Camera {
  // `onCodes(codes)` is called with what a frame holds, when it holds anything.
  constructor(video, onCodes) {
    this.video = video;
    this.onCodes = onCodes;
    this.stream = null;
  }

  get running() {
    return this.stream !== null;
  }

  // Rejects with the browser's error when there is no camera or no leave to use it.
  async start() {
    await reader();
    const wanted = { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } };
    this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    this.video.srcObject = this.stream;
    await this.video.play();
    this.loop(this.stream);
  }

  async loop(stream) {
    while (this.stream === stream) {
      let codes = [];
      try {
        codes = await codesOn(this.video);
      } catch (error) {
        codes = []; // one frame that cannot be read is no reason to stop
      }
      if (this.stream === stream && codes.length) this.onCodes(codes);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  stop() {
    if (this.stream === null) return;
    this.stream.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  get hasTorch() {
    const track = this.stream && this.stream.getVideoTracks()[0];
    return Boolean(track && track.getCapabilities && track.getCapabilities().torch);
  }

  torch(on) {
    return this.stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
  }
}
