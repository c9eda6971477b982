import type { Session } from './session.ts'

/** Runs statements one after the other. */
export async function runSteps(session: Session, steps: readonly string[]): Promise<void> {
  for (const step of steps) await session.run(step)
}
