"""The words that the made-up world is named with."""

from __future__ import annotations

COMPANY_NAMES = (
    "Alder", "Birchwood", "Cobalt", "Dunmore", "Eastgate", "Fairwind", "Granite", "Harbour", "Ironbridge",
    "Juniper", "Kestrel", "Lakeside", "Meridian", "Northfield", "Oakridge", "Pinecrest", "Quarry", "Redstone",
    "Silverbrook", "Tidewater", "Umber", "Valley", "Westport", "Yarrow", "Zenith",
    "Amberly", "Brookline", "Cedar", "Driftwood", "Elmhurst", "Foxglove", "Glenwood", "Hawthorn", "Ivory",
    "Jasper", "Kingsway", "Linden", "Maplewood", "Newhaven", "Orchard", "Pebble", "Quill", "Rosewood",
    "Summit", "Thornbury", "Upland", "Vista", "Willow", "Yewtree", "Zephyr",
)  # fmt: skip
COMPANY_ENDINGS = ("Retail", "Stores", "Trading", "Group")
SUPPLIER_ENDINGS = ("Manufacturing", "Industries", "Works", "Components", "Products")
SEGMENTS = ("retail", "wholesale", "online", "public sector")
VARIANTS = ("Compact", "Standard", "Professional", "Heavy-Duty")
CATEGORIES: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "Electronics": (2_900, 49_900, ("Power Supply", "Barcode Scanner", "Monitor", "Router", "Headset")),
    "Tools": (1_200, 24_900, ("Drill", "Torque Wrench", "Socket Set", "Angle Grinder", "Laser Level")),
    "Furniture": (4_900, 69_900, ("Desk", "Office Chair", "Shelf", "Cabinet", "Workbench")),
    "Office": (300, 4_900, ("Label Printer Roll", "Binder", "Stapler", "Whiteboard", "Paper Shredder")),
    "Kitchen": (900, 19_900, ("Kettle", "Knife Set", "Frying Pan", "Mixer", "Coffee Grinder")),
    "Textiles": (500, 9_900, ("Work Jacket", "Gloves", "Towel Set", "Blanket", "Apron")),
    "Sports": (800, 29_900, ("Dumbbell Set", "Tent", "Rucksack", "Bicycle Helmet", "Rowing Machine")),
    "Toys": (600, 7_900, ("Building Blocks", "Puzzle", "Train Set", "Board Game", "Kite")),
    "Automotive": (700, 39_900, ("Car Battery", "Wiper Blade", "Brake Pad", "Tyre", "Roof Box")),
    "Garden": (400, 34_900, ("Hedge Trimmer", "Hose", "Wheelbarrow", "Planter", "Lawn Mower")),
}
"""Cheapest and dearest unit price in cents, and what is sold."""
CARRIERS = (
    ("Northway Parcel", "parcel", 650.0, 0.8),
    ("Continental Road", "road", 700.0, 1.0),
    ("Ironline Rail", "rail", 800.0, 1.1),
    ("Skybridge Air", "air", 3_500.0, 0.5),
    ("Bluewater Ocean", "sea", 550.0, 1.6),
)
"""Name, mode, kilometres a day, lateness; the lateness averages to 1."""
