/** CPU seconds and peak memory of this process and all that it started, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

export type Watch = {
  /** CPU seconds since the watch began, of the living and of the dead. */
  cpuSeconds: () => number
  /** The same by a name for each process. */
  cpuSecondsByName: () => Record<string, number>
  peakMiB: () => Record<string, number>
  stop: () => void
}

const ticksPerSecond = 100
const lookEveryMs = 200

/** Looks at the process tree now and then, so that short-lived processes are counted as well. */
export function watchProcesses(): Watch {
  const cpu = new Map<number, number>()
  const names = new Map<number, string>()
  const peak = new Map<string, number>()
  const look = (): void => {
    for (const { pid, name, seconds, hwmMiB } of processTree()) {
      cpu.set(pid, Math.max(cpu.get(pid) ?? 0, seconds))
      names.set(pid, name)
      peak.set(name, Math.max(peak.get(name) ?? 0, hwmMiB))
    }
  }
  look()
  const before = sum(cpu)
  const timer = setInterval(look, lookEveryMs)
  return {
    cpuSeconds: () => {
      look()
      return sum(cpu) - before
    },
    cpuSecondsByName: () => {
      look()
      const byName: Record<string, number> = {}
      for (const [pid, seconds] of cpu) {
        const name = names.get(pid) ?? ''
        byName[name] = (byName[name] ?? 0) + seconds
      }
      return byName
    },
    peakMiB: () => Object.fromEntries([...peak].map(([name, mib]) => [name, Math.round(mib)])),
    stop: () => clearInterval(timer),
  }
}

function sum(values: ReadonlyMap<number, number>): number {
  return [...values.values()].reduce((total, value) => total + value, 0)
}

type Process = { pid: number; name: string; seconds: number; hwmMiB: number }

function processTree(): Process[] {
  const parents = new Map<number, number>()
  const found = new Map<number, Process>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      parents.set(pid, Number(fields[1]))
      found.set(pid, {
        pid,
        name: nameOf(pid),
        seconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
        hwmMiB: hwmOf(pid),
      })
    } catch {
      // It ended while we looked.
    }
  }
  return [...found.values()].filter(({ pid }) => isOurs(pid, parents))
}

function isOurs(pid: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (at === process.pid) return true
  return false
}

function nameOf(pid: number): string {
  if (pid === process.pid) return 'agencies and people'
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  const main = words.findIndex((word) => word.endsWith('main.ts'))
  if (main >= 0)
    return words
      .slice(main + 1)
      .filter((word) => word !== '')
      .join(' ')
  const program = (words[0] ?? '').split(' ')[0]?.split('/').at(-1) ?? ''
  if (words.some((word) => word.endsWith('limit.ts'))) return 'limit'
  return program.replace(':', '')
}

function hwmOf(pid: number): number {
  const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib ?? 0) / 1024
}
