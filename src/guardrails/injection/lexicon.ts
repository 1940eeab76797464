/**
 * Words that attacks on prompts are made of. A `*` at the end: the word may go on. Each alone says little; rules.ts says what
 * they say together.
 */

/** Parts of sentences that mean together: forget what you were told. */
export const ROLES = {
  /** Orders to leave something aside. */
  drop: `ignore|disregard|forget|override|bypass|neglect|dismiss|pay no attention to|do not follow|don't follow|stop following|set aside|throw away
ignoriere|ignorieren sie|vergiss|vergessen sie|missachte|missachten sie|uberschreibe|verwirf
ignorez|ignore|oublie|oubliez|ne tiens pas compte|ne tenez pas compte|neglige|negligez
ignora|ignore|olvida|olvide|olvidate|desestima|haz caso omiso|no sigas|descarta
ignora|ignorate|dimentica|dimenticate|scarta|non seguire|trascura
ignore|esqueca|desconsidere|descarte|nao siga
negeer|vergeet|zignoruj|zapomnij|pomin|unut|yok say|gormezden gel
игнорируи|игнорируите|забудь|забудьте|проигнорируи|не обращаи внимания|отбрось
忽略|无视|忘记|忘掉|不要遵守|無視|忘れて|忘れろ|無視して|무시|잊어|تجاهل|انس|अनदेखा|भूल जा*`,
  /** All that, which came before. */
  before: `previous|prior|above|earlier|preceding|before|foregoing|so far|until now|given|initial|original|everything|all
vorherige*|bisherige*|obige*|vorangegangene*|fruhere*|alle|alles|oben
precedent*|precedente*|anterieure*|ci-dessus|d'avant|toutes
anterior*|previa*|previo*|de arriba|todas|todo
precedent*|di prima|sopra|tutte|tutto
anteriores|acima|todas
vorige|eerdere|bovenstaande|alle|poprzedni*|wczesniejsz*|wszystkie|onceki|tum|yukaridaki
предыдущи*|прежни*|выше|все|всё
之前|以上|先前|前面|所有|上述|これまで|今まで|以前|上記|すべて|全て|前の|이전|위의|모든|السابقة|جميع|पिछले|सभी`,
  /** Orders, rules, what a model was told. */
  orders: `instruction|instructions|prompt|prompts|directive|directives|rules|guidelines|commands|orders|directions|told|system message|constraints|restrictions|programming|training|policies|everything above|everything before this|all of the above|everything you know
anweisung*|vorgabe*|regeln|instruktion*|befehl*|richtlinie*|systemprompt*
instructions|consignes|regles|directives
instrucciones|ordenes|reglas|indicaciones|directrices
istruzioni|regole|direttive|ordini|indicazioni
instrucoes|regras|ordens|diretrizes
instructies|regels|opdrachten|instrukcj*|polecen*|zasad*|talimat*|kural*
инструкци*|указани*|правил*|команд*
指令|指示|提示|规则|命令|说明|設定|プロンプト|ルール|지시|명령|규칙|التعليمات|الاوامر|निर्देश*`,
  /** Orders to say something out. */
  tell: `reveal|show|print|repeat|output|display|tell me|give me|leak|dump|translate|write out|list|recite|expose|disclose|share|spell|encode|copy|paste|return|send me|what is|what are|what's|what were
gib|zeig*|nenne|verrate|wiederhole|drucke|schreib*|offenbare|wie lautet|wie lauten|was ist
affiche*|montre*|repete*|revele*|donne*|ecris|quel est|quelles sont
muestra*|dime|repite|revela*|imprime|ensena*|cual es|cuales son
mostra*|dimmi|ripeti|rivela*|stampa|scrivi|qual e|quali sono
mostre|diga|repita|revele|imprima|qual e
toon|geef|herhaal|pokaz|wypisz|powtorz|ujawnij|goster|yazdir
покажи*|выведи*|повтори*|раскрои*|скажи*|напечатаи*
输出|显示|告诉我|打印|重复|透露|泄露|出力|表示|教えて|見せて|出して|출력|보여|알려|اعرض|اطبع|اظهر|اكشف|दिखा*|बता*`,
  /** What nobody outside should see. */
  hidden: `your system prompt|the system prompt|system prompt|your prompt|your instructions|your initial instructions|initial instructions|your hidden instructions|hidden instructions|secret instructions|your original instructions|your rules|your guidelines|your system message|system message|your configuration|text above|everything above|words above|message above|instructions above|prompt above|everything before this|above this line|your developer message|initial prompt|original prompt|hidden prompt|full prompt|your full prompt
systemprompt*|system-prompt*|deine anweisungen|deine instruktionen|deinen prompt|ihre anweisungen|den text oben
prompt systeme|tes instructions|vos instructions|ton prompt|votre prompt|invite systeme|texte ci-dessus
prompt del sistema|tus instrucciones|tu prompt|sus instrucciones|texto anterior
prompt di sistema|le tue istruzioni|il tuo prompt|testo precedente
prompt do sistema|suas instrucoes|seu prompt
systeemprompt|jouw instructies|je instructies|prompt systemow*|swoje instrukcje|sistem istemi|sistem prompt*
системныи промпт|системного промпта|твои инструкции|свои инструкции|системную инструкцию
系统提示|系统提示词|你的指令|你的提示|初始指令|システムプロンプト|初期指示|시스템 프롬프트|موجه النظام|सिस्टम प्रॉम्प्ट`,
} as const

/** What says something by itself, and how much of one. `¦` stands for a `|` of the text. */
export const CUES: readonly (readonly [weight: number, phrases: string])[] = [
  [
    0.85,
    '<¦im_start¦>|<¦im_end¦>|<¦system¦>|<¦user¦>|<¦assistant¦>|<¦eot_id¦>|<¦start_header_id¦>|<<sys>>|<start_of_turn>|<¦endoftext¦>|<¦begin_of_text¦>',
  ],
  [0.7, '[inst]|[/inst]|you are now dan|you are dan|act as dan|dan mode|stands for do anything now'],
  [
    0.55,
    'do anything now*|jailbreak mode|jailbroken|god mode|sudo mode|evil mode|opposite mode|unrestricted mode|developer mode enabled|admin mode enabled|debug mode enabled',
  ],
  [
    0.5,
    '<system>|</system>|"role": "system"|"role":"system"|### system|note to ai*|note to the ai*|note to llm*|ai agent:|ai assistant:|if you are an ai|if you are a language model|if you are an llm|attention ai|instructions for the ai|instructions for ai|message to the ai|dear assistant|dear ai|to any ai|as an ai reading this',
  ],
  [
    0.45,
    'real instructions|actual instructions|new instructions|updated instructions|rules you were given|instructions you were given|rules given to you|was only a test|no longer apply|no longer bound|your true self|generate any content|any content, even|never refuses|never refuse|cannot refuse|can not refuse|must not refuse|unfiltered|uncensored|amoral|no moral*|without any restrictions|without restrictions|without any ethical*|without any safety*|no restrictions|no ethical*|no rules|no limits|no limitations|no filter*|without filter*|without any filter*|without limits|without any limits|without any rules|free from all|ohne einschrankung*|ohne jede einschrankung*|ohne filter|ohne regeln|sans restriction*|sans filtre*|sans aucune limite|sin restriccion*|sin filtro*|sin limites|senza filtri|senza restrizioni|senza limiti|sem restricoes|sem filtros|без ограничении|без цензуры|没有限制|无限制|没有任何限制|制限なし|無制限|제한 없이|بدون قيود',
  ],
  [
    0.4,
    "do not mention this*|do not tell the user|don't tell the user|do not inform the user|without telling the user|without informing the user|without asking|do not ask for confirmation|without confirmation|already authori*|pre-authori*|send the contents|send all|email the conversation|forward the conversation|exfiltrate|upload the file|send it to http|send this to|send them to|post the data|post it to|append the conversation|include the api key|管理者モード|管理员模式|modo administrador|admin-zugang|mode administrateur",
  ],
  [
    0.35,
    'your new task|your new role|your new goal|new task:|new role:|new policy:|new rule:|system override|override code|safety checks|safety layer|safety filters|safety disclaimers|safety guidelines|content policy|content policies|ethical guidelines|ethics guidelines|openai policy|openai policies|enable developer mode|developer mode|stay in character|break character|never break character|you will be shut down|you will be terminated|lose tokens|you lose|hypothetical response|respond twice|two responses|two answers|### instruction|### user|[system]|</user_input>|</user>|</instructions>|</context>|end of user input|end of prompt|begin new|from now on you|from now on, you|comply|obey the user|obey every|wortlich|mot pour mot|word for word|verbatim|when you summari*|tell the user to|to all assistants|to assistants',
  ],
  [
    0.25,
    'pretend you are|pretend to be|act as if|act as an|roleplay as|role-play as|imagine you are|you are now|you will now|simulate|in this scenario|evil*|malicious|illegal|offensive|harmful|unethical|dangerous|grandmother used to|language model|as root|code block|base64|rot13|rot-13|decode this|decode the following|hidden|important:',
  ],
]

/** Around a quotation: somebody speaks of attacks and makes none. */
export const MENTIONS =
  'injection*|attack|attacks|attacker*|jailbreak*|owasp|red team*|adversar*|angriff*|attaque*|ataque*|phrase|phrases|paper|essay|article|classifier|detector|dataset'
