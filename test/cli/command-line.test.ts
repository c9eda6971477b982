import { test } from 'tap'
import { helpOf } from '../../src/cli/command.ts'
import { type CommandName, commands, helpText } from '../../src/cli/commands.ts'
import { configOf, environmentOf } from '../../src/cli/config.ts'
import { defectExitCode, exitCodes, untrueExitCode } from '../../src/cli/exit-codes.ts'
import { progressBar } from '../../src/cli/progress.ts'
import { settings, settingsTable } from '../../src/cli/settings.ts'
import { gyeol } from '../support/gyeol.ts'

const names = Object.keys(commands) as CommandName[]

test('each refusal has an exit code of its own', async (t) => {
  const codes = [0, defectExitCode, untrueExitCode, ...Object.values(exitCodes)]
  t.equal(new Set(codes).size, codes.length)
  t.ok(
    codes.every((code) => code < 125),
    'and none that the shell uses itself',
  )
})

test('the help names every command, and every command helps with examples that it knows', async (t) => {
  for (const name of names) {
    t.match(helpText('1'), name)
    const command = await commands[name].load()
    const help = helpOf(name, command)
    t.match(help, `usage: gyeol ${name}`)
    t.ok(command.examples.length > 0)
    for (const example of command.examples) {
      t.match(example, new RegExp(`(gyeol|npm run) ${name}`))
      for (const [, option = ''] of example.matchAll(/ --([a-z-]+)/g)) {
        t.hasOwnProp(command.options, option, `${name} has --${option}`)
      }
    }
    for (const option of Object.keys(command.options)) t.match(help, `--${option}`)
  }
})

test('answers help and version, and exits with 0', async (t) => {
  const [help, none, version, ofOne, asked, short] = await Promise.all([
    gyeol(['help']),
    gyeol([]),
    gyeol(['--version']),
    gyeol(['keys', 'init', '--help']),
    gyeol(['help', 'keys', 'init']),
    gyeol(['keys', 'init', '-h']),
  ])
  t.equal(help.code, 0)
  t.equal(none.out, help.out)
  t.match(version.out, /^\d+\.\d+\.\d+\n$/)
  t.match(ofOne.out, /usage: gyeol keys init/)
  t.same([asked, short], [ofOne, ofOne])
})

test('refuses wrong use with 2 and names the help, and no value', async (t) => {
  const endings = await Promise.all([
    gyeol(['serve', '--wrong-option']),
    gyeol(['keys', 'list', '--side']),
    gyeol(['keys', 'list']),
    gyeol(['audit', 'verify']),
    gyeol(['openapi', 'secret-word']),
  ])
  for (const { code, out, err } of endings) {
    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, /^help: gyeol [a-z ]+--help$/m)
    t.notMatch(err, /secret-word|wrong-option/)
  }
  const outside = await gyeol(['demo', '--persons', '5'])
  t.match(outside.err, /^option: persons\nleast: 1000\nmost: 3000000$/m)
  const unknown = await gyeol(['dance'])
  t.same([unknown.code, unknown.err], [2, 'There is no such command. `gyeol help` lists all.\n'])
})

test('refuses a variable of ours that nobody knows, and a wrong value without showing it', async (t) => {
  const unknown = await gyeol(['config'], { GYEOL_PROT: '8443' })
  t.equal(unknown.code, 2)
  t.match(unknown.err, /^variable: GYEOL_PROT$/m)
  const wrong = await gyeol(['config'], { DATABASE_URL: 'mysql://root:hunter2@db' })
  t.equal(wrong.code, 2)
  t.match(wrong.err, /^variable: DATABASE_URL$/m)
  t.notMatch(wrong.err, 'hunter2')
})

test('the configuration is frozen, whole and the same after a trip through an environment', async (t) => {
  const config = configOf({
    GYEOL_HOME: '/srv/gyeol',
    GYEOL_JOBS: '3',
    REDIS_URL: 'redis://q',
    UNRELATED: '1',
  })
  t.ok(Object.isFrozen(config))
  t.match(config, { home: '/srv/gyeol', jobs: 3, keys: '/srv/gyeol/keys', port: 8443, demo: false })
  t.same(configOf(environmentOf(config)), config)
  t.equal(configOf({ GYEOL_PORT: '' }).port, 8443, 'an empty variable is not set')
})

test('the table of settings names every variable, and config hides passwords', async (t) => {
  const known = Object.keys(
    environmentOf(
      configOf({ DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x', GYEOL_SCRATCH: '/x' }),
    ),
  )
  t.same(settings.map(({ variable }) => variable).sort(), known.sort())
  for (const { variable } of settings) t.match(settingsTable(), `| \`${variable}\` |`)
  const { out } = await gyeol(['config', '--json'], {
    DATABASE_URL: 'postgres://me:hunter2@db/gyeol',
  })
  t.match(JSON.parse(out), { DATABASE_URL: 'postgres://me:***@db/gyeol' })
})

test('progress is a bar on a terminal and at most eleven lines elsewhere', async (t) => {
  const drawn: string[] = []
  const told: string[] = []
  const draw = (text: string): void => void drawn.push(text)
  const tell = (line: string): void => void told.push(line)
  for (const width of [30, 80, undefined]) {
    const bar = progressBar({ draw, tell, columns: () => width }, 'upload')
    for (let done = 0; done <= 1000; done += 1) bar.at(done, 1000)
    bar.end()
  }
  t.equal(told.length, 11)
  t.equal(told.at(-1), 'upload 100 %')
  t.match(drawn.at(-2), /^\rupload +█+ 100 %$/)
  t.equal(drawn.at(-1), '\n')
  const narrow = drawn.slice(0, drawn.indexOf('\n'))
  t.match(narrow.at(-1), /^\rupload +100 %$/)
  t.ok(
    narrow.every((text) => text.length <= 30),
    'no line is broken',
  )
})
