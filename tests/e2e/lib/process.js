// Child processes: each writes to its own log file, and none outlives the tests.

import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const running = new Set();
/** A folder for each process that starts others, with a file for each of these; both are named by process ids. */
const registers = process.env.NOEMA_E2E_DIR && path.join(process.env.NOEMA_E2E_DIR, 'running');
const register = registers && path.join(registers, String(process.pid));

function started(child) {
  running.add(child);
  if (register && child.pid) writeFileSync(path.join(register, String(child.pid)), '');
}

function ended(child) {
  running.delete(child);
  if (register && child.pid) rmSync(path.join(register, String(child.pid)), { force: true });
}

/** Sends a signal; returns whether the process exists. */
function signalled(pid, signal) {
  try {
    return process.kill(Number(pid), signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
    return false;
  }
}

/** Kills the processes that ended suites left running, by their folders in `registers`. */
export function reap(registers) {
  for (const owner of readdirSync(registers).filter((pid) => !signalled(pid, 0))) {
    const folder = path.join(registers, owner);
    try {
      for (const pid of readdirSync(folder)) signalled(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      // Another suite does the same at the same time.
      if (!['ENOENT', 'ENOTEMPTY'].includes(error.code)) throw error;
    }
  }
}

if (register) {
  mkdirSync(register, { recursive: true });
  reap(registers);
}
process.on('exit', () => {
  for (const child of running) {
    child.kill('SIGKILL');
    ended(child);
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => process.exit(1));
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ports outside the range from which the system serves connections and binds to port 0: no other program gets one
 * before its node starts, or while the node restarts.
 */
const PORTS = { first: 20_000, count: 10_000 };

/** A folder with a file for each port in use by a suite. */
const ports = process.env.NOEMA_E2E_DIR && path.join(process.env.NOEMA_E2E_DIR, 'ports');

/** Reserves a port for this process; returns whether no other suite has it. */
function reserve(port) {
  if (!ports) return true;
  mkdirSync(ports, { recursive: true });
  try {
    writeFileSync(path.join(ports, String(port)), '', { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** Whether no program listens on a port. */
const isFree = (port) =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** A free TCP port, reserved for this process. */
export async function freePort() {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (reserve(port) && (await isFree(port))) return port;
  }
}

/** Calls `attempt` until it returns a value other than `undefined`; the error names `what`. */
export async function until(what, attempt, { timeout = 120_000, every = 200 } = {}) {
  const end = Date.now() + timeout;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > end) throw new Error(`waited ${timeout / 1000} s without success: ${what}`);
    await sleep(every);
  }
}

/** A running program whose output goes to `log`. */
export class Program {
  constructor(name, file, args, { env = {}, log }) {
    this.name = name;
    this.log = log;
    const output = openSync(log, 'a');
    // The log may contain output of earlier programs.
    this.start = fstatSync(output).size;
    this.child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    started(this.child);
    this.exited = new Promise((resolve) => {
      const done = (status) => {
        ended(this.child);
        this.status ??= status;
        resolve(this.status);
      };
      this.child.once('exit', (code, signal) => done(code ?? signal));
      this.child.once('error', (error) => done(`could not start: ${error.message}`));
    });
  }

  get pid() {
    return this.child.pid;
  }

  get alive() {
    return this.status === undefined;
  }

  /** The last lines of its output. */
  tail(lines = 20) {
    return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Waits until its output matches `pattern`; returns the match. */
  says(pattern, timeout) {
    return until(
      `${this.name} writes ${pattern}`,
      () => {
        this.assertAlive();
        return readFileSync(this.log).subarray(this.start).toString('utf8').match(pattern) ?? undefined;
      },
      { timeout },
    );
  }

  /** Pauses it until {@link Program#resume}. */
  pause() {
    this.child.kill('SIGSTOP');
  }

  resume() {
    this.child.kill('SIGCONT');
  }

  /** Throws if it has ended, with its last lines of output. */
  assertAlive() {
    if (!this.alive) throw new Error(`${this.name} ended (${this.status}):\n${this.tail()}`);
  }

  /** `kill -9`, without an orderly stop. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Requests a stop and waits; kills it after `patience` ms. */
  async stop(patience = 60_000) {
    if (!this.alive) return this.status;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), patience);
    const status = await this.exited;
    clearTimeout(timer);
    return status;
  }
}

/** Runs a program to its end; returns its exit status and output. */
export function runProgram(file, args, { env = {}, timeout = 240_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started(child);
    const out = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (out.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (out.stderr += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const done = (status) => {
      clearTimeout(timer);
      ended(child);
      resolve({ status, ...out });
    };
    child.once('close', (code, signal) => done(code ?? signal));
    child.once('error', (error) => done(`could not start: ${error.message}`));
  });
}
