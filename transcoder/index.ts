// The transcoder's public face, for launchers and tests that run it in their own process.
export { type Config, readConfig } from './config.ts';
export { type Paces, startTranscoder, type TranscoderService } from './service.ts';
