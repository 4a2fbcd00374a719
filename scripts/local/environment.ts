// The environment of a local stand-in: parsed once, every missing name listed, refused in production.
import { z } from 'zod';

/** A sentence for the person at the terminal; it is shown without a stack. */
export class StartRefused extends Error {}

/** A port as the environment writes it. */
export const PortText = z.coerce.number().int().min(1).max(65_535);

/**
 * Parses the environment of a local stand-in.
 * @throws StartRefused in production, and when variables are missing or wrong.
 */
export function readLocalEnvironment<T extends z.ZodRawShape>(
  what: string,
  shape: T,
  env: Record<string, string | undefined>,
): z.output<z.ZodObject<T>> {
  if (env.ENVIRONMENT === 'production') {
    throw new StartRefused(
      `${what} is for development and tests: it does not start when ENVIRONMENT=production.`,
    );
  }
  const parsed = z.object(shape).safeParse(env);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new StartRefused(`${what} cannot start: ${faults.join('; ')}.`);
}

/** Runs `main`; a refusal ends the process with its one sentence on stderr and exit code 1. */
export async function startOrRefuse(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
