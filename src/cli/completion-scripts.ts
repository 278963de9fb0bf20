import type { Command } from 'commander';

/** What may come after some words: the words of the table are `fluxgate cluster list`. */
interface Place {
  /** '' is the command line itself; "cluster list" a command. */
  readonly path: string;
  readonly words: readonly Word[];
}

interface Word {
  readonly word: string;
  readonly about: string;
  /** The same option in one letter. */
  readonly short?: string;
  /** What an option's value may be, where that is a closed list. */
  readonly values?: readonly string[];
  /** An option that takes a value: after it, files and words of the user's own. */
  readonly takesValue?: boolean;
}

/** undefined: no such shell. */
export function completionScript(shell: string, program: Command): string | undefined {
  const places = placesOf(program, '');
  if (shell === 'bash') return bash(places);
  if (shell === 'zsh') return zsh(places);
  return shell === 'fish' ? fish(places) : undefined;
}

function placesOf(command: Command, path: string): readonly Place[] {
  const commands = command.commands.filter((child) => child.name() !== 'help');
  const words: Word[] = [
    ...commands.map((child) => ({ word: child.name(), about: child.description() })),
    ...command.options.flatMap(({ long, short, hidden, description, argChoices, required, optional }) =>
      long === undefined || long === null || hidden
        ? []
        : [
            {
              word: long,
              ...(short === undefined ? {} : { short }),
              about: description,
              ...(argChoices === undefined ? {} : { values: argChoices }),
              ...(required || optional ? { takesValue: true } : {}),
            },
          ],
    ),
    { word: '--help', about: 'what this takes' },
  ];
  return [
    { path, words },
    ...commands.flatMap((child) =>
      [child.name(), ...child.aliases()].flatMap((name) =>
        placesOf(child, path === '' ? name : `${path} ${name}`),
      ),
    ),
  ];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** `place` becomes the longest path of commands among the words typed so far. zsh has a variable `path` of its own. */
const findPlace = (words: string, first: number): string => `  local place= word known i
  for ((i = ${first}; i < current; i++)); do
    word=\${${words}[i]}
    case $word in -*) continue ;; esac
    known="\${place:+$place }$word"
    case " $places " in *" \${known// /_} "*) place=$known ;; esac
  done
  local offers= files=`;

function offersByPlace(places: readonly Place[]): string {
  const cases = places.map(
    ({ path, words }) => `    ${quoted(path)}) offers=${quoted(words.map(({ word }) => word).join(' '))} ;;`,
  );
  return `  case $place in\n${cases.join('\n')}\n  esac`;
}

/** After an option: its values, or a file where it takes one of the user's own. */
function offersByOption(places: readonly Place[], before: string): string {
  const cases = new Map<string, string>();
  for (const { path, words } of places) {
    for (const { word, short, values, takesValue } of words) {
      const action = values === undefined ? 'offers= files=1' : `offers=${quoted(values.join(' '))}`;
      if (values === undefined && takesValue !== true) continue;
      for (const flag of [word, ...(short === undefined ? [] : [short])])
        cases.set(`${path} ${flag}`, action);
    }
  }
  const lines = [...cases].map(([key, action]) => `    ${quoted(key)}) ${action} ;;`);
  return `  case "$place ${before}" in\n${lines.join('\n')}\n  esac`;
}

const pathList = (places: readonly Place[]): string =>
  places.map(({ path }) => path.replaceAll(' ', '_')).join(' ');

function bash(places: readonly Place[]): string {
  return `# bash completion for fluxgate: source <(fluxgate completion bash)
_fluxgate() {
  local current=$COMP_CWORD places=${quoted(pathList(places))}
${findPlace('COMP_WORDS', 1)}
${offersByPlace(places)}
${offersByOption(places, `\${COMP_WORDS[COMP_CWORD-1]}`)}
  local typed=\${COMP_WORDS[COMP_CWORD]}
  if [ -n "$files" ]; then
    COMPREPLY=($(compgen -f -- "$typed"))
  else
    COMPREPLY=($(compgen -W "$offers" -- "$typed"))
  fi
}
complete -o filenames -F _fluxgate fluxgate`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef fluxgate
# zsh completion for fluxgate: source <(fluxgate completion zsh)
_fluxgate() {
  setopt local_options no_ksh_arrays sh_word_split
  local current=$CURRENT places=${quoted(pathList(places))}
${findPlace('words', 2)}
${offersByPlace(places)}
${offersByOption(places, `\${words[CURRENT-1]}`)}
  if [[ -n $files ]]; then
    _files
  else
    compadd -- $offers
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _fluxgate "$@"; else compdef _fluxgate fluxgate; fi`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) =>
    words.map(({ word, short, about, values, takesValue }) => {
      const at = `-n ${quoted(`test (__fluxgate_path) = ${path === '' ? '.' : path.replaceAll(' ', '.')}`)}`;
      const letter = short === undefined ? '' : `-s ${short.slice(1)} `;
      const what = word.startsWith('--') ? `${letter}-l ${word.slice(2)}` : `-a ${word}`;
      const value =
        values === undefined ? (takesValue === true ? ' -r' : '') : ` -x -a ${quoted(values.join(' '))}`;
      const files = word.startsWith('--') ? '' : ' -f';
      return `complete -c fluxgate ${at}${files} ${what}${value} -d ${quoted(about)}`;
    }),
  );
  return `# fish completion for fluxgate: fluxgate completion fish | source
function __fluxgate_path
    set -l paths ${places.map(({ path }) => (path === '' ? '.' : path.replaceAll(' ', '.'))).join(' ')}
    set -l path .
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and continue
        set -l known (test $path = .; and echo $word; or echo $path.$word)
        contains -- $known $paths; and set path $known
    end
    echo $path
end
complete -c fluxgate -f
${lines.join('\n')}`;
}
