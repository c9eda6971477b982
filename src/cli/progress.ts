/** How far a long command is: a bar on a terminal, a plain line at every tenth elsewhere. */
import type { Terminal } from './command.ts'

/** Told how far it is, as often as one likes. */
export type ProgressBar = {
  at: (done: number, total: number) => void
  /** Ends the line; what follows stands below it. */
  end: () => void
}

const barCells = 30
const labelCells = 24
const redrawMs = 100
const plainSteps = 10

/** The progress of one piece of work, named by a constant label. */
export function progressBar(
  terminal: Pick<Terminal, 'draw' | 'tell' | 'columns'>,
  label: string,
): ProgressBar {
  const { draw, tell, columns } = terminal
  return columns() === undefined ? plainLines(tell, label) : drawnBar({ draw, columns }, label)
}

function drawnBar(
  { draw, columns }: Pick<Terminal, 'draw' | 'columns'>,
  label: string,
): ProgressBar {
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let last = ''
  return {
    at: (done, total) => {
      const now = performance.now()
      const share = shareOf(done, total)
      if (share < 1 && now - drawnAtMs < redrawMs) return
      drawnAtMs = now
      // A line that the terminal breaks would not be drawn over but below.
      const room = (columns() ?? 0) - percent(share).length - 3
      const name = label.slice(0, Math.max(0, room)).padEnd(Math.min(labelCells, room))
      const cells = Math.max(0, Math.min(barCells, room - name.length))
      const filled = Math.round(share * cells)
      const bar = `${'█'.repeat(filled)}${'░'.repeat(cells - filled)}`
      const text = `${name} ${bar} ${percent(share)}`
      if (text !== last) draw(`\r${text}`)
      last = text
    },
    end: () => {
      if (last !== '') draw('\n')
      last = ''
    },
  }
}

function plainLines(tell: (line: string) => void, label: string): ProgressBar {
  let told = -1
  return {
    at: (done, total) => {
      const step = Math.floor(shareOf(done, total) * plainSteps)
      if (step <= told) return
      told = step
      tell(`${label} ${percent(step / plainSteps).trim()}`)
    },
    end: () => {},
  }
}

function shareOf(done: number, total: number): number {
  return total <= 0 ? 1 : Math.min(Math.max(done / total, 0), 1)
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`.padStart(5)
}
