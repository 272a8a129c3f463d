"""A letter to Rosa Quispe, and changes to it."""

from datetime import date

from recobra.messaging.channels.letter.pdf import Address, Item, Letter, Sender, build_sheet

STREET = Address(
    lines=("Av. Los Próceres 1250, dpto. 402", "Urb. San Martín"), city="Lima", postal_code="15046", country="PE"
)


def item(number="F-001", *, currency="PEN", principal=100_000, interest=2_345, fees=1_500):
    return Item(
        number=number,
        due_date=date(2026, 9, 5),
        currency=currency,
        principal_minor=principal,
        interest_minor=interest,
        fees_minor=fees,
        total_minor=principal + interest + fees,
    )


def letter(**changes):
    facts = {
        "reference": "PE-0000012345",
        "day": date(2026, 11, 23),
        "country": "PE",
        "recipient": "Rosa Quispe Mamani",
        "address": STREET,
        "creditor": "Banco Sur",
        "creditor_tax_id": "RUC 20100000001",
        "sender": Sender(name="Gestora Andina S.A.C.", lines=("Jr. Camaná 851", "15001 Lima"), tax_id="20512345678"),
        "subject": "Estado de su cuenta",
        "body": "Estimada señora Rosa Quispe:\n\nLe escribimos por lo pendiente.",
        "items": (item(),),
        "how_to_pay": "Pague en bancosur.example.",
        "how_to_object": "Escriba a reclamos@bancosur.example.",
        "payment_reference": "4400012345678",
    }
    return Letter(**facts | changes)


def letter_pdf(letter, *, at):
    return build_sheet([letter], code="", at=at).pdf(at=at)
