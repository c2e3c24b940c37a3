// Many chats at once, for a time.

import { readFileSync } from 'node:fs';

import { readStream } from './gateway.js';
import { sleep } from './process.js';

/** The resident memory of a process, in MiB. */
const residentMib = (pid) => Math.round(Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)[1]) / 1024);

/** Chats that each ask again as soon as they are answered, half of them streamed. */
export class Load {
  /** `watched` are processes by names, whose memory is measured. */
  constructor(gateway, { chats, watched = {}, tokens = 8 }) {
    Object.assign(this, { gateway, chats, watched, tokens });
  }

  /** Runs for so many seconds, and until the last answers have ended. */
  async run(seconds) {
    const begun = Date.now();
    const end = begun + seconds * 1000;
    const told = { answers: 0, receipts: 0, tokens: 0, failures: [] };
    const chat = async (number) => {
      for (let turn = 0; Date.now() < end; turn += 1) {
        try {
          const { usage, noema } = await this.#ask(`What is ${number} times ${turn + 2}?`, number % 2 === 0);
          told.answers += 1;
          told.receipts += noema.receipts.length;
          told.tokens += usage.completion_tokens;
        } catch (error) {
          told.failures.push(error.message);
          return;
        }
      }
    };
    const all = Promise.all(Array.from({ length: this.chats }, (_, number) => chat(number)));
    const memory = () => Object.fromEntries(Object.entries(this.watched).map(([name, pid]) => [name, residentMib(pid)]));
    // After a third of the time, everything that is kept at all is there.
    await sleep((seconds * 1000) / 3);
    const early = memory();
    await all;
    const last = memory();
    const grown = Object.fromEntries(Object.keys(last).map((name) => [name, { early: early[name], last: last[name] }]));
    return { ...told, seconds: (Date.now() - begun) / 1000, memory: grown };
  }

  async #ask(content, isStreamed) {
    const options = { max_tokens: this.tokens };
    if (isStreamed) return readStream(await this.gateway.stream(content, options));
    const { usage, choices: [{ noema }] } = await this.gateway.ask(content, options);
    return { usage, noema };
  }
}
