# Deutsch. Anrede: Sie. <b> und <a> sind die einzigen Auszeichnungen.
verbatim = { $text }
title-error = Fehler: { $title }
languages = Sprachen
help = Hilfe
privacy = Datenschutz
terms = Nutzungsbedingungen
optional = (freiwillig)
show = Anzeigen
hide = Verbergen
change = Ändern
continue = Weiter
save = Speichern
cancel = Abbrechen
development = Entwicklung

## Daten
month =
    { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    }
date = { $day }. { $month } { $year }
date-time = { $date }, { $time } UTC
ago-now = gerade eben
ago-minutes =
    { $count ->
        [one] vor einer Minute
       *[other] vor { $count } Minuten
    }
ago-hours =
    { $count ->
        [one] vor einer Stunde
       *[other] vor { $count } Stunden
    }
ago-days =
    { $count ->
        [one] gestern
       *[other] vor { $count } Tagen
    }

## Felder
field-identifier = E-Mail oder Benutzername
field-password = Passwort
field-new-password = Neues Passwort
field-current-password = Jetziges Passwort
field-code = Code
field-email = E-Mail-Adresse
field-new-email = Neue E-Mail-Adresse
field-username = Benutzername
field-name = Name
field-given-name = Vorname
field-family-name = Nachname
field-locale = Sprache
field-street = Straße und Hausnummer
field-postal-code = Postleitzahl
field-locality = Ort
field-region = Bundesland oder Kanton
field-country = Land
locale-of-browser = Wie im Browser eingestellt
password-rule =
    { $count ->
        [one] Mindestens ein Zeichen. Einige Wörter ohne Zusammenhang sind ein gutes Passwort.
       *[other] Mindestens { $count } Zeichen. Einige Wörter ohne Zusammenhang sind ein gutes Passwort.
    }

## Anmelden
identify-title = Anmelden
to-continue = weiter zu { $application }
new-here = Neu hier?
create-account = Konto anlegen
forgot-password = Passwort vergessen?
password-title = Passwort eingeben
sign-in = Anmelden
not-you = Nicht Sie?
another-way = Anderer Weg
code-title = Sehen Sie in Ihre E-Mails
code-sent =
    { $minutes ->
        [one] Wir haben einen sechsstelligen Code an <b>{ $destination }</b> geschickt. Er gilt eine Minute.
       *[other] Wir haben einen sechsstelligen Code an <b>{ $destination }</b> geschickt. Er gilt { $minutes } Minuten.
    }
code-nothing = Nichts angekommen? Sehen Sie im Spam-Ordner nach.
send-again = Noch einmal senden
resend-in = (in <b>{ $time }</b>)
another-address = Andere Adresse verwenden
another-method = Andere Methode verwenden
choose-title = Konto wählen
another-account = Anderes Konto verwenden

## Einwilligung
consent-title = { $application } bittet um Zugriff
signed-in-as = angemeldet als { $identifier }
scope-openid = Wissen, wer Sie sind
scope-openid-detail = Eine Kennung, die für Sie steht
scope-profile = Ihr Profil sehen
scope-profile-detail = Name und Sprache
scope-email = Ihre E-Mail-Adresse sehen
scope-phone = Ihre Telefonnummer sehen
scope-address = Ihre Postanschrift sehen
scope-offline = Verbunden bleiben
scope-offline-detail = Auch während Sie die Anwendung nicht benutzen
consent-until = Die Erlaubnis gilt, bis Sie sie in Ihrem Konto zurücknehmen.
consent-days =
    { $days ->
        [one] Die Erlaubnis gilt einen Tag, oder bis Sie sie in Ihrem Konto zurücknehmen.
       *[other] Die Erlaubnis gilt { $days } Tage, oder bis Sie sie in Ihrem Konto zurücknehmen.
    }
allow = Erlauben
deny = Ablehnen
consent-own-rules = { $application } hat eigene Regeln:
privacy-policy = Datenschutzerklärung
terms-of-service = Nutzungsbedingungen

## Neues Konto, neues Passwort
register-title = Konto anlegen
register-for = weiter zu { $application }
register-lead = Wir schicken einen Code an Ihre E-Mail-Adresse.
have-account = Sie haben schon ein Konto?
details-title = Fast fertig
recover-title = Passwort vergessen?
recover-lead = Nennen Sie uns Ihre E-Mail-Adresse oder Ihren Benutzernamen. Gibt es dazu ein Konto, schicken wir einen Code an dessen Adresse.
back-to-sign-in = Zurück zur Anmeldung
new-password-title = Neues Passwort wählen
save-password = Passwort speichern

## Links aus E-Mails
link-title = Waren Sie das?
link-lead = Bestätigen Sie, dass <b>{ $destination }</b> Ihre Adresse ist. Dann geht es weiter.
link-confirm = Ja, weiter
link-not-you = Wenn Sie nicht darum gebeten haben, schließen Sie diese Seite. Es geschieht nichts.
link-other-title = Geben Sie diesen Code dort ein, wo Sie begonnen haben
link-other-lead = Sie haben in einem anderen Browser oder auf einem anderen Gerät begonnen. Geben Sie dort diesen Code ein:
link-other-code = Geben Sie diesen Code dort ein, wo Sie begonnen haben: { $code }
link-other-hint = Geben Sie diesen Code niemandem, auch uns nicht.
link-begin-lead = Nicht zur Hand?
link-begin = Hier neu beginnen

## Abmelden
logout-title = Abmelden?
logout-for = { $application } möchte Sie abmelden.
logout-lead = Sie werden in diesem Browser abgemeldet.
logout-as = Sie sind angemeldet als { $identifier }.
sign-out = Abmelden
stay-signed-in = Angemeldet bleiben
signed-out-title = Sie sind abgemeldet
signed-out-lead = Wenn auch andere dieses Gerät benutzen, schließen Sie den Browser.
sign-in-again = Wieder anmelden
back-to = Zurück zu { $application }
deleted-title = Ihr Konto ist gelöscht
deleted-lead = Wir haben es per E-Mail bestätigt. Sie können diese Seite schließen.

## Zurück zur Anwendung
form-post-title = Einen Augenblick
form-post-for = Wir bringen Sie zurück zu { $application }. Wenn nichts geschieht, drücken Sie die Taste.
form-post-lead = Wir bringen Sie zurück zur Anwendung. Wenn nichts geschieht, drücken Sie die Taste.

## Fehler an Feldern: jeder sagt, wie es weitergeht
error-identifier-missing = Geben Sie Ihre E-Mail-Adresse oder Ihren Benutzernamen ein.
error-identifier-invalid = Das ist weder eine E-Mail-Adresse noch ein Benutzername. Prüfen Sie, ob Sie sich vertippt haben.
error-password-missing = Geben Sie Ihr Passwort ein.
error-password-wrong = Dieses Passwort passt nicht. Versuchen Sie es noch einmal, oder wählen Sie „Passwort vergessen?“.
error-current-password = Das ist nicht Ihr jetziges Passwort. Versuchen Sie es noch einmal.
error-password-common = Viele benutzen dieses Passwort, es ist leicht zu erraten. Wählen Sie ein anderes.
error-password-similar = Dieses Passwort ähnelt Ihrem Namen oder Ihrer Adresse zu sehr. Wählen Sie ein anderes.
error-password-same = Dieses Passwort haben Sie schon. Wählen Sie ein neues.
error-password-short =
    { $count ->
        [one] Dieses Passwort ist zu kurz. Nehmen Sie mindestens ein Zeichen.
       *[other] Dieses Passwort ist zu kurz. Nehmen Sie mindestens { $count } Zeichen.
    }
error-password-long =
    { $count ->
        [one] Dieses Passwort ist zu lang. Nehmen Sie höchstens ein Zeichen.
       *[other] Dieses Passwort ist zu lang. Nehmen Sie höchstens { $count } Zeichen.
    }
error-code-missing = Geben Sie den Code aus der E-Mail ein.
error-code-wrong =
    { $count ->
        [one] Dieser Code passt nicht. Sie haben noch einen Versuch.
       *[other] Dieser Code passt nicht. Sie haben noch { $count } Versuche.
    }
error-code-expired = Dieser Code gilt nicht mehr. Lassen Sie sich einen neuen schicken.
error-code-used-up = Dieser Code wurde zu oft versucht. Lassen Sie sich einen neuen schicken.
error-code-wait = Wir haben gerade einen Code geschickt. Warten Sie einen Augenblick, bevor Sie einen weiteren verlangen.
error-email-missing = Geben Sie Ihre E-Mail-Adresse ein.
error-email-invalid = Das ist keine E-Mail-Adresse. Sie sieht so aus: name@example.com.
error-email-taken = Diese Adresse gehört zu einem anderen Konto. Nehmen Sie eine andere.
error-email-unchanged = Diese Adresse haben Sie schon. Geben Sie die neue ein.
error-username-taken = Diesen Benutzernamen hat schon jemand. Wählen Sie einen anderen.
error-username-invalid = Nehmen Sie 3 bis 40 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche.
error-too-long =
    { $count ->
        [one] Das ist zu lang. Nehmen Sie höchstens ein Zeichen.
       *[other] Das ist zu lang. Nehmen Sie höchstens { $count } Zeichen.
    }
error-unreadable = Hier stehen Zeichen, die sich nicht darstellen lassen. Geben Sie es neu ein.
error-choice = Diese Auswahl gibt es nicht. Wählen Sie aus der Liste.
error-too-many =
    { $minutes ->
        [one] Das war zu oft. Warten Sie eine Minute, oder wählen Sie ein neues Passwort.
       *[other] Das war zu oft. Warten Sie { $minutes } Minuten, oder wählen Sie ein neues Passwort.
    }
error-wait =
    { $minutes ->
        [one] Das war zu oft. Warten Sie eine Minute und versuchen Sie es noch einmal.
       *[other] Das war zu oft. Warten Sie { $minutes } Minuten und versuchen Sie es noch einmal.
    }
error-code-form = Ein Code hat sechs Ziffern. Sehen Sie noch einmal in der Mail nach.
error-password-expired = Dieses Passwort muss ersetzt werden. Wählen Sie „Passwort vergessen?“, um ein neues zu setzen.

## Fehlerseiten
error-not-found = Diese Seite gibt es nicht
error-not-found-text = Prüfen Sie die Adresse, oder gehen Sie dorthin zurück, woher Sie kamen.
error-expired = Das hat zu lange gedauert
error-expired-text = Zu Ihrer Sicherheit endet eine Anmeldung nach einer Weile. Es ist nichts verloren: Beginnen Sie neu.
error-cookies = Ihr Browser nimmt keine Cookies an
error-cookies-text = Ohne Cookie können wir Ihren Browser nicht von anderen unterscheiden. Erlauben Sie Cookies für diese Seite, und versuchen Sie es noch einmal.
error-foreign = Das kam nicht von unserer Seite
error-foreign-text = Um Sie zu schützen, haben wir nichts getan. Beginnen Sie in diesem Browser neu.
error-link = Dieser Link gilt nicht mehr
error-link-text = Er wurde schon benutzt oder ist zu alt. Beginnen Sie neu, dann bekommen Sie einen anderen.
error-elsewhere = Das wurde in einem anderen Browser begonnen
error-elsewhere-text = Machen Sie dort weiter, wo Sie begonnen haben, oder beginnen Sie hier neu.
error-form = Das Gesendete ist nicht lesbar
error-form-text = Etwas darin ist kein Text. Gehen Sie zurück, prüfen Sie Ihre Eingabe und senden Sie sie noch einmal.
error-request = Die Anwendung hat einen Fehler gemacht
error-request-text = Sie haben nichts falsch gemacht. Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal. Bleibt es dabei, sagen Sie es ihrem Betreiber.
error-large = Das ist zu viel
error-large-text = Was geschickt wurde, ist größer als alles, was wir annehmen. Gehen Sie zurück und schicken Sie weniger.
error-refused = Sie können sich hier nicht anmelden
error-refused-text = Ihr Konto hat zur Zeit keinen Zugang. Fragen Sie den Kundendienst, und nennen Sie die Nummer unten.
error-many = Zu viele Anfragen
error-many-text =
    { $seconds ->
        [one] Warten Sie eine Sekunde, und versuchen Sie es dann noch einmal.
       *[other] Warten Sie { $seconds } Sekunden, und versuchen Sie es dann noch einmal.
    }
error-busy = Wir sind gerade ausgelastet
error-busy-text =
    { $seconds ->
        [one] Es ist nichts verloren. Versuchen Sie es in einer Sekunde noch einmal.
       *[other] Es ist nichts verloren. Versuchen Sie es in { $seconds } Sekunden noch einmal.
    }
error-internal = Bei uns ist etwas schiefgegangen
error-internal-text = Es wurde nichts geändert. Versuchen Sie es gleich noch einmal. Bleibt es dabei, nennen Sie dem Kundendienst die Nummer unten.
error-request-id = Nummer dieser Anfrage:
for-developers = Für Entwickler
try-again = Noch einmal versuchen
start-over = Neu beginnen

## Hinweise
notice-started-over = Das hat zu lange gedauert, darum haben wir neu begonnen. Bitte machen Sie hier weiter.
notice-send-once-more = Bitte senden Sie es noch einmal ab.
notice-prove-again = Zeigen Sie zuerst, dass Sie es sind.
notice-code-sent = Ein neuer Code ist unterwegs. Ältere gelten nicht mehr.
notice-saved = Gespeichert.
notice-password-changed = Ihr Passwort ist geändert. Überall sonst sind Sie abgemeldet.
notice-email-changed = Ihre E-Mail-Adresse ist geändert. Wir haben es der alten mitgeteilt.
notice-session-ended = Dort abgemeldet.
notice-sessions-ended =
    { $count ->
        [0] Es gab nirgends sonst etwas abzumelden.
        [one] An einem anderen Ort abgemeldet.
       *[other] An { $count } anderen Orten abgemeldet.
    }
notice-access-ended = { $application } hat keinen Zugriff mehr.
notice-account-existed = Zu dieser Adresse hatten Sie schon ein Konto. Sie sind darin angemeldet.

## Konto
account-sections = Konto
nav-home = Übersicht
nav-profile = Profil
nav-password = Passwort
nav-sessions = Sitzungen
nav-applications = Anwendungen
nav-activity = Aktivität
greeting = Guten Tag, { $name }
home-lead = Ihr Konto bei { $tenant }, und wie es geschützt ist.
home-no-email = Keine E-Mail-Adresse
home-password-since = Festgelegt am { $date }
home-no-password = Noch kein Passwort
home-sessions =
    { $count ->
        [one] An einem Ort angemeldet
       *[other] An { $count } Orten angemeldet
    }
home-applications =
    { $count ->
        [0] Keine verbunden
        [one] Eine verbunden
       *[other] { $count } verbunden
    }
home-recent = In letzter Zeit
home-all-activity = Alle Aktivität ansehen
home-delete = Mein Konto löschen
profile-title = Profil
profile-sign-in = Wie Sie sich anmelden
profile-about = Über Sie
profile-address = Postanschrift
change-email-title = E-Mail-Adresse ändern
change-email-now = Ihre Adresse ist <b>{ $email }</b>.
change-email-lead = Wir schicken einen Code an die neue Adresse und eine Nachricht an die alte.
change-password-title = Passwort ändern
change-password-lead = Hier bleiben Sie angemeldet, überall sonst werden Sie abgemeldet.
sessions-title = Wo Sie angemeldet sind
sessions-lead = Wenn Sie etwas davon nicht kennen, melden Sie es ab und ändern Sie Ihr Passwort.
sessions-hint = Wer sich überall oder überall sonst abmeldet, beendet auch den Zugriff verbundener Anwendungen.
this-device = dieses Gerät
session-seen = benutzt { $time }
session-since = seit { $date }
sign-out-device = Abmelden: { $device }
sign-out-others = Überall sonst abmelden
sign-out-everywhere = Überall abmelden
device = { $browser } auf { $system }
device-unknown = Unbekanntes Gerät
applications-title = Verbundene Anwendungen
applications-lead = Diese Anwendungen anderer haben Zugriff auf Ihr Konto, weil Sie es erlaubt haben.
applications-empty = Keine Anwendung hat Zugriff auf Ihr Konto.
application-since = seit { $date }
take-back = Zurücknehmen
activity-title = Aktivität
activity-lead = Wenn etwas davon nicht von Ihnen ist, ändern Sie sofort Ihr Passwort.
activity-empty = Es ist noch nichts geschehen.
activity-older = Älteres
activity-registered = Konto angelegt
activity-signed-in = Angemeldet
activity-refused = Eine Anmeldung wurde abgelehnt
activity-signed-out = Abgemeldet
activity-session-ended = Eine Sitzung wurde beendet
activity-signed-out-everywhere = Überall abgemeldet
activity-password-changed = Passwort geändert
activity-password-reset = Vergessenes Passwort ersetzt
activity-recovery = Ein neues Passwort wurde verlangt
activity-email-changed = E-Mail-Adresse geändert
activity-profile-changed = Profil geändert
activity-access-given = Einer Anwendung wurde der Zugriff erlaubt
activity-access-ended = Der Zugriff einer Anwendung wurde zurückgenommen
activity-token-replayed = Eine Anwendung wurde abgemeldet, weil ihr Schlüssel zweimal benutzt wurde
activity-suspended = Konto gesperrt
activity-resumed = Konto wieder geöffnet
activity-changed = Konto geändert
delete-title = Konto löschen
delete-lead = Das lässt sich nicht rückgängig machen.
delete-sessions = Sie werden überall abgemeldet.
delete-data = Was { $tenant } in diesem Konto über Sie aufbewahrt, wird gelöscht.
delete-applications =
    { $count ->
        [one] Eine verbundene Anwendung verliert ihren Zugriff.
       *[other] { $count } verbundene Anwendungen verlieren ihren Zugriff.
    }
delete-for-good = Endgültig löschen
keep-account = Mein Konto behalten

## Entwicklung
mailbox-title = Postfach
mailbox-lead = In der Entwicklung werden E-Mails nicht verschickt, sondern hier gezeigt.
mailbox-empty = Noch keine E-Mail. Legen Sie ein Konto an oder verlangen Sie einen Code, dann erscheint sie hier.
mailbox-back = Alle E-Mails
demo-lead = Eine Anwendung wie jede andere: Sie schickt Sie zur Anmeldung und zeigt, was sie erfährt.
demo-signed-in = Guten Tag, { $name }. Sie sind angemeldet.
demo-account = Ihr Konto
demo-learnt = Was die Anwendung erfahren hat
demo-id-token = ID-Token
demo-access-token = Access-Token
demo-userinfo = Userinfo
demo-requests = Was gesprochen wurde

## E-Mails
mail-good-for =
    { $minutes ->
        [one] Er gilt eine Minute.
       *[other] Er gilt { $minutes } Minuten.
    }
mail-not-asked = Wenn Sie nicht darum gebeten haben, brauchen Sie nichts zu tun. Geben Sie den Code niemandem.
mail-code-subject = { $code } ist Ihr Code
mail-verify = Geben Sie diesen Code ein, um zu zeigen, dass diese Adresse Ihnen gehört:
mail-verify-for = Geben Sie diesen Code ein, um zu { $application } weiterzugehen:
mail-verify-button = Oder öffnen Sie diese Seite
mail-recover-subject = { $code } ist Ihr Code für ein neues Passwort
mail-recover = Geben Sie diesen Code ein, um ein neues Passwort zu wählen:
mail-recover-button = Neues Passwort wählen
mail-recover-not-asked = Wenn Sie nicht darum gebeten haben, brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist. Geben Sie den Code niemandem.
mail-change-email = Geben Sie diesen Code ein, um diese Adresse zu der Ihres Kontos zu machen:
mail-delete-code-subject = { $code } ist Ihr Code zum Löschen Ihres Kontos
mail-delete-code = Geben Sie diesen Code ein, um zu bestätigen, dass Ihr Konto gelöscht werden soll:
mail-delete-not-asked = Wenn Sie nicht darum gebeten haben, melden Sie sich an und ändern Sie Ihr Passwort. Geben Sie den Code niemandem.
mail-email-changed-subject = Ihre E-Mail-Adresse wurde geändert
mail-email-changed = Die Adresse Ihres Kontos ist jetzt { $new }, seit { $time }.
mail-email-changed-else = Wenn Sie das nicht waren, hat jemand anders Ihr Konto. Holen Sie sofort Hilfe:
mail-get-help = Hilfe holen
mail-password-changed-subject = Ihr Passwort wurde geändert
mail-password-changed = Das Passwort Ihres Kontos wurde am { $time } geändert.
mail-password-changed-else = Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort:
mail-new-device-subject = Ein neues Gerät hat sich angemeldet
mail-new-device = Jemand hat sich in Ihrem Konto auf einem Gerät angemeldet, das wir nicht kennen:
mail-new-device-from = Aus { $network }, am { $time }.
mail-new-device-else = Wenn Sie das waren, ist alles gut. Wenn nicht, drücken Sie die Taste: Wir melden jedes Gerät ab und verlangen ein neues Passwort.
mail-not-me = Das war ich nicht
mail-deleted-subject = Ihr Konto ist gelöscht
mail-deleted = Ihr Konto wurde am { $time } gelöscht. Was wir darin über Sie aufbewahrt haben, wird getilgt.
mail-deleted-more = Sie können mit derselben Adresse jederzeit ein neues anlegen.
mail-replay-subject = Wir haben Sie bei { $application } abgemeldet
mail-replay = Der Schlüssel, mit dem { $application } verbunden bleibt, wurde am { $time } zweimal benutzt. Vielleicht hat ihn jemand kopiert, darum haben wir die Verbindung beendet.
mail-replay-else = Melden Sie sich bei der Anwendung wieder an. Geschieht das öfter, sehen Sie sich Ihre Sitzungen an:
mail-see-sessions = Meine Sitzungen ansehen
